"""Documents about who belongs to an account."""

from tests.api.documents import ERRORS

USER = "user { id name email role state permissions seats }"
INVITE = f"mutation($input: InviteUserInput!) {{ inviteUser(input: $input) {{ {USER} {ERRORS} }} }}"
AGAIN = f"mutation($who: ID!) {{ inviteUserAgain(userId: $who) {{ {USER} {ERRORS} }} }}"
ACCEPT = (
    "mutation($token: String!, $password: String!, $name: String) "
    f"{{ acceptInvitation(token: $token, password: $password, name: $name) {{ token {USER} {ERRORS} }} }}"
)
ROLE = f"mutation($who: ID!, $role: Role!) {{ setUserRole(userId: $who, role: $role) {{ {USER} {ERRORS} }} }}"
ALLOW = (
    "mutation($who: ID!, $may: [Permission!]!) { setUserPermissions(userId: $who, permissions: $may) "
    f"{{ {USER} {ERRORS} }} }}"
)
DEACTIVATE = f"mutation($who: ID!) {{ deactivateUser(userId: $who) {{ {USER} {ERRORS} }} }}"
REACTIVATE = f"mutation($who: ID!) {{ reactivateUser(userId: $who) {{ {USER} {ERRORS} }} }}"
