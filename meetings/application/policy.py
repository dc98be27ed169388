"""The figures the use cases go by; each can be set by whoever runs the product."""

from dataclasses import dataclass
from datetime import timedelta

from meetings.domain.plan import PlanRules, Tier


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits and intervals. See `docs/operating.md` for what changing one means."""

    mirror_max_age: timedelta = timedelta(minutes=30)
    """A copy of a calendar that was last confirmed longer ago than this counts as unreadable."""
    mirror_days_back: int = 2
    mirror_days_ahead: int = 400
    """How far a full read reaches; it is done anew once less than `mirror_days_least` days are left."""
    mirror_days_least: int = 370
    poll_with_push: timedelta = timedelta(minutes=15)
    poll_without_push: timedelta = timedelta(minutes=3)
    settle_seconds: float = 4.0
    """How long `bookMeeting` waits for the calendar write before it answers PENDING."""
    write_seconds: float = 25.0
    """How long one calendar write may take before it counts as unknown."""
    give_up_after: timedelta = timedelta(hours=24)
    """Calendar writes are repeated until the meeting begins, but at least this long."""
    hold_minutes: int = 5
    holds_per_visitor: int = 2
    holds_per_address: int = 10
    window_days: int = 62
    """The longest window of availability one question may ask for."""
    blocked_bundle: timedelta = timedelta(minutes=15)
    """After a mail about a blocked attempt, further attempts wait this long to be told together."""
    session_days: int = 30
    attempt_minutes: int = 10
    """How long a trip to a provider's consent page may take."""
    watch_seconds: float = 30.0
    """How often live availability looks again although nobody said that anything changed: notice and window move."""
    all_features: bool = True
    """Every account has every feature, whatever it subscribed to, and nobody needs a seat."""
    sequences_from: Tier = Tier.PROFESSIONAL
    """The lowest tier of Sales or Service with sequences; only without `all_features`."""
    invitation_days: int = 14
    """How long the invitation of a new person can be accepted."""

    mail_poll: timedelta = timedelta(minutes=2)
    """How often a connected mailbox is read."""
    mail_settles_after: timedelta = timedelta(minutes=5)
    """After a mail was handed over and nobody said whether it left, how long its provider has to show it among the
    sent ones before it counts as not sent."""
    mails_per_day: int = 500
    """How many mails people and sequences together send through one mailbox in 24 hours."""

    refuse_reserved_addresses: bool = False
    """Invitees cannot have addresses under names that nobody has, such as `example.com` (RFC 2606)."""
    bookings_kept_days: int = 731
    """How long after its end a booking is kept, whatever became of it; 0: for ever."""
    visitor_days: int = 180
    """How long a browser that booked under a custom domain is known there; 0: not at all."""

    @property
    def plans(self) -> PlanRules:
        """How the gates of plans and seats are applied here."""
        return PlanRules(self.all_features, self.sequences_from)
