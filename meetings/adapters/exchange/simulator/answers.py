"""HTTP answers that are no success, and those that a scripted fault gives instead of the work."""

from starlette.responses import HTMLResponse, Response

from meetings.adapters.exchange.simulator import hostile, pages, soap
from meetings.adapters.exchange.simulator.calls import Call
from meetings.adapters.exchange.simulator.errors import TEXTS, EwsError, EwsFault
from meetings.adapters.exchange.simulator.faults import Fault
from meetings.adapters.exchange.simulator.request import failure, response
from meetings.adapters.exchange.simulator.signin import Refused
from meetings.adapters.exchange.simulator.versions import ServerVersion

XML = "text/xml; charset=utf-8"


def status_page(status: int, headers: dict[str, str] | None = None) -> Response:
    """What IIS says about a status."""
    return HTMLResponse(pages.status_page(status, pages.WORDS.get(status, "Error")), status, headers)


def unauthorized(refused: Refused) -> Response:
    answer = status_page(401, refused.headers)
    for challenge in refused.challenges:
        answer.headers.append("WWW-Authenticate", challenge)
    return answer


def fault_answer(error: EwsFault) -> Response:
    details = soap.message_xml(error.values) if error.values else None
    if error.violation:
        details = soap.violation_xml(error.violation)
    body = soap.fault(error.code, error.message, TEXTS.get(error.code, error.message), details)
    return Response(soap.envelope(body, None), 500, media_type=XML)


def scripted(call: Call, fault: Fault, version: ServerVersion, challenges: list[str], *, in_messages: bool) -> Response:
    """`in_messages`: whether the operation's answer has messages that a code could stand in."""
    headers = dict(fault.headers)
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    if fault.hostile is not None:
        return Response(hostile.document(fault.hostile), fault.status or 200, headers, media_type=XML)
    if fault.body is not None or fault.content_type is not None:
        body = pages.login_page() if fault.body is None else fault.body
        return Response(body, fault.status or 200, headers, media_type=fault.content_type or XML)
    if fault.code is not None:
        return _with_code(call, fault, fault.code, version, headers, in_messages=in_messages)
    if fault.status == 401:
        return unauthorized(Refused(challenges, headers))
    return status_page(fault.status or 200, headers)


def _with_code(
    call: Call, fault: Fault, code: str, version: ServerVersion, headers: dict[str, str], *, in_messages: bool
) -> Response:
    values = None if fault.back_off_ms is None else {"BackOffMilliseconds": str(fault.back_off_ms)}
    if fault.ends_the_request or not in_messages or call.operation == "GetUserAvailability":
        answer = fault_answer(EwsFault(code, values=values))
        return Response(answer.body, fault.status or 500, headers, media_type=XML)
    refusal = response(call.operation, [failure(call.operation, EwsError(code, values=values))])
    return Response(soap.envelope(refusal, version), fault.status or 200, headers, media_type=XML)
