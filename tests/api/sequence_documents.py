"""What tests of sequences ask the API."""

from tests.api.documents import ERRORS

SEQUENCE = "id name archived endsByCompany steps { delay subject bodyMarkdown includeMeetingLink }"
CREATE_SEQUENCE = (
    f"mutation($input: SequenceInput!) {{ createSequence(input: $input) {{ sequence {{ {SEQUENCE} }} {ERRORS} }} }}"
)
UPDATE_SEQUENCE = (
    "mutation($id: ID!, $input: SequenceInput!) { updateSequence(sequenceId: $id, input: $input) "
    f"{{ sequence {{ {SEQUENCE} }} {ERRORS} }} }}"
)
ARCHIVE_SEQUENCE = f"mutation($id: ID!) {{ archiveSequence(sequenceId: $id) {{ sequence {{ archived }} {ERRORS} }} }}"
ENROLLED = "id status pauseReason stepsSent nextSendAt contact { email } sequence { name } thread { subject }"
ENROLL = (
    "mutation($id: ID!, $contacts: [ID!]!) { enrollInSequence(sequenceId: $id, contactIds: $contacts) "
    f"{{ enrollments {{ {ENROLLED} }} {ERRORS} }} }}"
)
PAUSE_ENROLLMENT, RESUME_ENROLLMENT, CANCEL_ENROLLMENT = (
    f"mutation($id: ID!) {{ {name}(enrollmentId: $id) {{ enrollment {{ status pauseReason }} {ERRORS} }} }}"
    for name in ("pauseEnrollment", "resumeEnrollment", "cancelEnrollment")
)
