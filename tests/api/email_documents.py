"""Documents about mails with contacts."""

from tests.api.documents import ERRORS

MESSAGE = "id direction origin status from { name email } to subject text html automatic sentAt failure"
THREAD = "id subject contactEmail unread lastMessageAt"
LOGGING = "rule neverLog"
SEND_EMAIL = (
    "mutation($input: SendEmailInput!) { sendEmail(input: $input) "
    f"{{ message {{ {MESSAGE} thread {{ {THREAD} }} }} {ERRORS} }} }}"
)
MARK_THREAD = (
    "mutation($id: ID!, $read: Boolean!) { markEmailThread(threadId: $id, read: $read) "
    f"{{ thread {{ {THREAD} }} {ERRORS} }} }}"
)
SET_LOGGING = (
    "mutation($rule: EmailLoggingRule!, $never: [String!]) { setEmailLogging(rule: $rule, neverLog: $never) "
    f"{{ emailLogging {{ {LOGGING} }} {ERRORS} }} }}"
)
THREADS = f"""query($first: Int, $after: String, $contact: ID, $unread: Boolean) {{ viewer {{
  emailThreads(first: $first, after: $after, contactId: $contact, unreadOnly: $unread) {{
    nodes {{ {THREAD} contact {{ email }} messages(first: 2) {{ nodes {{ {MESSAGE} }} pageInfo {{ hasNextPage }} }} }}
    edges {{ cursor }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""
LOGGED_HOW = f"{{ viewer {{ emailLogging {{ {LOGGING} }} }} }}"
EVENTS = (
    "subscription($after: String) { inboxEvents(after: $after) "
    "{ cursor type message { subject text status } thread { unread } } }"
)
