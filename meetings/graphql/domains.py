"""Domains of the account's own, and under which host a person's pages are."""

import datetime
from collections.abc import Awaitable, Callable
from typing import Annotated

import strawberry

from meetings.application.ports.dns import DnsUnavailable
from meetings.application.sites import meeting_host
from meetings.application.web_domains import (
    add_domain,
    check_domain,
    choose_meeting_domain,
    remove_domain,
    set_primary_domain,
    switch_indexing,
)
from meetings.domain import user as domain_user
from meetings.domain import web_domain as domain
from meetings.domain.identifiers import AccountId, WebDomainId
from meetings.domain.plan import Feature
from meetings.graphql.context import Info, Operation, again_on_conflict
from meetings.graphql.enums import DomainState
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import (
    TRY_AGAIN_AFTER,
    Access,
    RefusedError,
    TemporaryError,
    UserError,
    Wording,
    as_user_errors,
    mutation,
)
from meetings.graphql.node_ids import Kind, from_id, to_id


@strawberry.type(description="A host that addresses of one's pages can be under.")
class MeetingDomain:
    """Chosen by `setMeetingDomain`."""

    domain: str = strawberry.field(description="The host, such as `meet.example.com`.")
    standard: bool = strawberry.field(description="Whether everybody has it; else it is a domain of the account's own.")
    is_default: bool = strawberry.field(description="Whether addresses of the viewer's pages are under it now.")
    robots_hint: str = strawberry.field(
        description="The line of a `robots.txt` that keeps search engines from pages under it. It is there only where "
        "`setDomainIndexing` asked for it."
    )


@strawberry.type(description="The DNS record that shows that the account controls a domain.")
class DomainRecord:
    """To be set where the domain's DNS is kept."""

    type: str = strawberry.field(description="The kind of record, `TXT`.")
    name: str = strawberry.field(description="Its whole name.")
    value: str = strawberry.field(description="Its text; random, and only for this account and this claim.")


@strawberry.type(description="A domain of the account's own, or one it claims.")
class Domain:
    """Seen by owners and admins."""

    id: strawberry.ID = strawberry.field(description="Opaque.")
    host: str = strawberry.field(description="Its name, in small letters, other scripts as `xn--`.")
    state: DomainState = strawberry.field(description="Whether pages are served under it.")
    record: DomainRecord = strawberry.field(
        description="The record that has to be there, and to stay: it is looked up every day."
    )
    is_primary: bool = strawberry.field(description="Whether people who chose no domain get addresses under it.")
    indexing_allowed: bool = strawberry.field(description="Whether search engines may look at pages under it.")
    robots_hint: str = strawberry.field(
        description="The line that keeps search engines from the pages, for a `robots.txt` of one's own (S70)."
    )
    added_at: datetime.datetime = strawberry.field(description="When it was claimed.")
    connected_at: datetime.datetime | None = strawberry.field(description="When control was shown; null before.")
    checked_at: datetime.datetime | None = strawberry.field(description="When the record was last looked up.")
    missing_since: datetime.datetime | None = strawberry.field(
        description="Since when the record of a connected domain is gone; 72 hours later nothing is served under it."
    )

    @classmethod
    def of(cls, claim: domain.WebDomain) -> "Domain":
        return cls(
            id=to_id(Kind.DOMAIN, claim.id),
            host=claim.host,
            state=claim.state,
            record=DomainRecord(type="TXT", name=claim.record_name, value=claim.record_value),
            is_primary=claim.primary,
            indexing_allowed=claim.indexed,
            robots_hint=domain.ROBOTS_LINE,
            added_at=claim.added_at,
            connected_at=claim.connected_at,
            checked_at=claim.checked_at,
            missing_since=claim.missing_since,
        )


@strawberry.type(description="What became of a domain.")
class DomainPayload:
    """Either a domain or errors."""

    domain: Domain | None = strawberry.field(default=None, description="The domain as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type(description="What became of a domain that was to go.")
class RemoveDomainPayload:
    """Either an id or errors."""

    removed_id: strawberry.ID | None = strawberry.field(default=None, description="Which one is gone.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type(description="What became of the host of one's pages.")
class MeetingDomainPayload:
    """Either all hosts or errors."""

    domains: list[MeetingDomain] | None = strawberry.field(
        default=None, description="The hosts there are to choose from, the chosen one marked."
    )
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


async def meeting_domains(user: domain_user.User, operation: Operation) -> list[MeetingDomain]:
    """The standard hosts, and the account's connected domains for whoever may use them."""
    loaders, tools = operation.loaders(AccountId(user.account_id)), operation.tools
    account, claims = await loaders.account(), await loaders.web_domains()
    now = meeting_host(user, claims, tools.links)
    open_to_them = account is not None and account.plan.allows(Feature.CUSTOM_DOMAIN, user.id, tools.policy.plans)
    custom = [claim.host for claim in claims if claim.connected and (open_to_them or claim.host == now)]
    return [
        MeetingDomain(
            domain=host,
            standard=host in tools.links.standard_hosts,
            is_default=host == now,
            robots_hint=domain.ROBOTS_LINE,
        )
        for host in (*tools.links.standard_hosts, *custom)
    ]


DomainIdArgument = Annotated[strawberry.ID, strawberry.argument(description="Which domain.")]
_EDIT_CODES = (Code.NOT_FOUND, Code.PERMISSION_MISSING, Code.CONCURRENT_CHANGE)


@strawberry.type(description="Mutations of domains.")
class DomainMutations:
    """Part of the schema's mutations."""

    @mutation(
        DomainPayload,
        Access.SIGNED_IN,
        "For owners and admins: claim a domain for the account's pages. The answer holds the DNS record that shows "
        "control of it; set it, then call `checkDomain`. Claiming it again gives the claim there is.",
        Code.VALIDATION,
        Code.DOMAIN_TAKEN,
        Code.PLAN_REQUIRED,
        Code.PERMISSION_MISSING,
        Code.CONCURRENT_CHANGE,
    )
    async def add_domain(
        self,
        info: Info,
        host: Annotated[str, strawberry.argument(description="Such as `meet.example.com`.")],
    ) -> DomainPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        added = await again_on_conflict(
            lambda: add_domain(
                host,
                caller=caller,
                begin=operation.begin,
                reads=tools.reads,
                links=tools.links,
                clock=tools.clock,
                policy=tools.policy,
            )
        )
        return DomainPayload(domain=await _domain_now(operation, added))

    @mutation(
        DomainPayload,
        Access.SIGNED_IN,
        "For owners and admins: look the domain's record up now. Connects a claim, and confirms a connected domain.",
        *_EDIT_CODES,
        Code.DNS_NOT_READY,
        Code.PROVIDER_UNAVAILABLE,
        Code.DOMAIN_TAKEN,
        Code.PLAN_REQUIRED,
        Code.RATE_LIMITED,
    )
    async def check_domain(self, info: Info, id: DomainIdArgument) -> DomainPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        await operation.count(operation.options.rates.domain_check, "checkDomain", str(caller.account_id))
        return await _change(
            operation,
            id,
            lambda own: check_domain(
                own,
                caller=caller,
                begin=operation.begin,
                look=tools.look,
                dns=tools.dns,
                clock=tools.clock,
                policy=tools.policy,
            ),
        )

    @mutation(
        DomainPayload,
        Access.SIGNED_IN,
        "For owners and admins: have people who chose no domain get addresses under this one.",
        *_EDIT_CODES,
        Code.DOMAIN_NOT_CONNECTED,
        Code.PLAN_REQUIRED,
    )
    async def set_primary_domain(self, info: Info, id: DomainIdArgument) -> DomainPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        return await _change(
            operation,
            id,
            lambda own: set_primary_domain(
                own, caller=caller, begin=operation.begin, clock=tools.clock, policy=tools.policy
            ),
        )

    @mutation(
        DomainPayload,
        Access.SIGNED_IN,
        "For owners and admins: let search engines look at pages under a domain (`true`, the default), or ask them not "
        "to, by the line `robotsHint` in its `robots.txt`.",
        *_EDIT_CODES,
    )
    async def set_domain_indexing(
        self,
        info: Info,
        id: DomainIdArgument,
        allowed: Annotated[bool, strawberry.argument(description="Whether they may.")],
    ) -> DomainPayload:
        operation = info.context
        caller, clock = operation.signed_in(), operation.tools.clock
        return await _change(
            operation,
            id,
            lambda own: switch_indexing(own, allowed=allowed, caller=caller, begin=operation.begin, clock=clock),
        )

    @mutation(
        RemoveDomainPayload,
        Access.SIGNED_IN,
        "For owners and admins: give a domain up. Pages under it are under a standard host again. Claiming it later "
        "takes another record.",
        *_EDIT_CODES,
    )
    async def remove_domain(self, info: Info, id: DomainIdArgument) -> RemoveDomainPayload:
        operation = info.context
        caller, clock = operation.signed_in(), operation.tools.clock
        own = WebDomainId(from_id(Kind.DOMAIN, id))
        await again_on_conflict(lambda: remove_domain(own, caller=caller, begin=operation.begin, clock=clock))
        return RemoveDomainPayload(removed_id=id)

    @mutation(
        MeetingDomainPayload,
        Access.SIGNED_IN,
        "Have addresses of the signed-in person's pages under another host: one of the standard ones, or a connected "
        "domain of the account's own. Where they were before, they still answer.",
        Code.DOMAIN_NOT_CONNECTED,
        Code.PLAN_REQUIRED,
        Code.CONCURRENT_CHANGE,
    )
    async def set_meeting_domain(
        self,
        info: Info,
        domain: Annotated[str, strawberry.argument(description="One of `viewer.meetingDomains`.")],
    ) -> MeetingDomainPayload:
        operation = info.context
        caller, tools = operation.signed_in(), operation.tools
        await again_on_conflict(
            lambda: choose_meeting_domain(
                domain,
                caller=caller,
                begin=operation.begin,
                links=tools.links,
                clock=tools.clock,
                policy=tools.policy,
            )
        )
        operation.forget_loaded()
        user = await operation.viewer()
        return MeetingDomainPayload(domains=await meeting_domains(user, operation) if user else None)


async def _change(operation: Operation, id: str, change: Callable[[WebDomainId], Awaitable[None]]) -> DomainPayload:
    own = WebDomainId(from_id(Kind.DOMAIN, id))
    await again_on_conflict(lambda: change(own))
    return DomainPayload(domain=await _domain_now(operation, own))


async def _domain_now(operation: Operation, own: WebDomainId) -> Domain | None:
    operation.forget_loaded()
    claims = await operation.loaders(operation.signed_in().account_id).web_domains()
    return next((Domain.of(claim) for claim in claims if claim.id == own), None)


@as_user_errors.register
def _(error: domain.DomainTaken, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.DOMAIN_TAKEN, ("host",)))]


@as_user_errors.register
def _(error: domain.DomainNotConnected, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.DOMAIN_NOT_CONNECTED, ("domain",)))]


@as_user_errors.register
def _(error: domain.DnsNotReady, wording: Wording) -> list[UserError]:
    return [RefusedError(**wording.base(Code.DNS_NOT_READY))]


@as_user_errors.register
def _(error: DnsUnavailable, wording: Wording) -> list[UserError]:
    return [TemporaryError(**wording.base(Code.PROVIDER_UNAVAILABLE, detail="DNS"), retry_after=TRY_AGAIN_AFTER)]
