"""Conference links on request.

Source: "Create events" (add video and phone conferences) and the ConferenceData schema: only with
`conferenceDataVersion=1` does an event's conference data count, `createRequest` makes a new conference, and a
repeated `requestId` is ignored. Google makes it asynchronously (`status.statusCode` pending, then success); the
simulator answers success at once, unless `pending` is set (`conference_pending` of the simulator).
"""

import copy
import hashlib

from meetings.adapters.google.simulator.errors import Json, invalid, required


def apply_conference(fields: Json, current: Json, body: Json, version: int, *, replace: bool, pending: bool) -> None:
    """Put the conference that `body` asks for into `fields`; version 0 keeps what `current` has.

    `replace` is the semantics of events.update, where missing means none (assumed for conference data).
    """
    for name in ("conferenceData", "hangoutLink"):
        fields.pop(name, None)
        if name in current:
            fields[name] = copy.deepcopy(current[name])
    if version < 1 or ("conferenceData" not in body and not replace):
        return
    wanted = body.get("conferenceData")
    fields.pop("hangoutLink", None)
    before = fields.pop("conferenceData", {})
    if not wanted:
        return
    request = wanted.get("createRequest")
    if request is not None and not _same_request(before, request):
        fields["conferenceData"] = _created(request, fields["id"], pending=pending)
    elif request is not None:
        fields["conferenceData"] = before
    else:
        fields["conferenceData"] = copy.deepcopy(wanted)
    finish_conference(fields)


def finish_conference(fields: Json) -> None:
    """The link at the event itself, once the conference exists."""
    for entry in fields.get("conferenceData", {}).get("entryPoints", []):
        if entry["entryPointType"] == "video":
            fields["hangoutLink"] = entry["uri"]


def succeed(fields: Json) -> None:
    """A pending conference is ready now."""
    data = fields["conferenceData"]
    fields["conferenceData"] = _created(data["createRequest"], fields["id"], pending=False)
    finish_conference(fields)


def _same_request(before: Json, request: Json) -> bool:
    return bool(before.get("createRequest", {}).get("requestId") == request.get("requestId"))


def _created(request: Json, event_id: str, *, pending: bool) -> Json:
    if not request.get("requestId"):
        raise required("Missing conference request id.")
    kind = request.get("conferenceSolutionKey", {}).get("type", "hangoutsMeet")
    if kind != "hangoutsMeet":
        # Only the solutions in the calendar's allowedConferenceSolutionTypes (Calendar resource; wording seen in
        # reports).
        raise invalid("Invalid conference type value.")
    status = "pending" if pending else "success"
    own = {
        "requestId": request["requestId"],
        "conferenceSolutionKey": {"type": kind},
        "status": {"statusCode": status},
    }
    if pending:
        return {"createRequest": own}
    code = _meet_code(f"{event_id}/{request['requestId']}")
    video = {"entryPointType": "video", "uri": f"https://meet.google.com/{code}", "label": f"meet.google.com/{code}"}
    return {
        "createRequest": own,
        "entryPoints": [video],
        "conferenceSolution": {
            "key": {"type": kind},
            "name": "Google Meet",
            "iconUri": "https://fonts.gstatic.com/s/i/productlogos/meet_2020q4/v6/web-512dp/logo_meet_2020q4.png",
        },
        "conferenceId": code,
    }


def _meet_code(seed: str) -> str:
    letters = "".join(chr(ord("a") + byte % 26) for byte in hashlib.sha256(seed.encode()).digest()[:10])
    return f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"
