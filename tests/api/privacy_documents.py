"""What owners and admins ask about people from outside."""

EXPORT = (
    "mutation($email: String!) { exportPerson(email: $email) "
    "{ export { url expiresAt } errors { code path message } } }"
)
ERASE = "mutation($email: String!) { erasePerson(email: $email) { erasedEmail errors { code path message } } }"
