"""The pages of Outlook on the web that a wrong address leads to, and what IIS says in between."""

from html import escape


def page(title: str, body: str) -> str:
    return (
        f"<!DOCTYPE html>\n<html><head><meta charset='utf-8'><title>{escape(title)}</title></head>"
        f"<body>{body}</body></html>"
    )


def login_page() -> str:
    return page(
        "Outlook",
        "<form action='/owa/auth.owa' method='post'><label>Domain\\user name: <input name='username'></label>"
        "<label>Password: <input name='password' type='password'></label><button>sign in</button></form>",
    )


def status_page(status: int, words: str) -> str:
    return page(f"{status} - {words}", f"<h2>{status} - {escape(words)}</h2>")


def ews_page() -> str:
    """What a GET of the EWS address shows (seen)."""
    return page("Service", "<p>You have created a service.</p>")


WORDS = {
    400: "Bad Request",
    401: "Unauthorized: Access is denied due to invalid credentials.",
    403: "Forbidden: Access is denied.",
    404: "File or directory not found.",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    415: "Cannot process the message because the content type was not the expected type 'text/xml; charset=utf-8'.",
    500: "Internal server error.",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
