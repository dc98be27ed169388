"""What owners and admins set for the whole account, and what that gives everybody in it."""

from typing import Annotated

import strawberry

from meetings.application.account_settings import (
    choose_internal_domains,
    preset_exchange,
    remove_exchange_preset,
    switch_exchange_full_sync,
)
from meetings.domain import account as stored
from meetings.domain.account import MailServerKind
from meetings.domain.mail_domain import mail_domain
from meetings.graphql.context import Info, Operation, again_on_conflict
from meetings.graphql.error_codes import UserErrorCode as Code
from meetings.graphql.errors import Access, UserError, mutation
from meetings.graphql.people import Account
from meetings.graphql.scalars import URL


@strawberry.type(description="The Exchange server of a domain, so that its people need not type it in.")
class ExchangePreset:
    """Set by owners and admins."""

    domain: str = strawberry.field(description="The part of the addresses behind the `@`, in small letters.")
    server_url: URL = strawberry.field(description="Where the server's web service is called.")

    @classmethod
    def of(cls, preset: stored.MailPreset) -> "ExchangePreset":
        return cls(domain=preset.domain, server_url=URL(preset.address))


@strawberry.type(description="From where this product calls Exchange servers, for the allowlist of a firewall.")
class ExchangeNetwork:
    """The same for everybody here."""

    static_ip_enabled: bool = strawberry.field(description="Whether all calls leave from fixed addresses.")
    ranges: list[str] = strawberry.field(description="These addresses and networks; empty while that is off.")

    @classmethod
    def of(cls, ranges: tuple[str, ...]) -> "ExchangeNetwork":
        return cls(static_ip_enabled=bool(ranges), ranges=list(ranges))


@strawberry.type(description="What became of the account's settings.")
class AccountPayload:
    """Either the account or errors."""

    account: Account | None = strawberry.field(default=None, description="The account as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type(description="What became of a preset server.")
class ExchangePresetPayload:
    """Either the preset or errors."""

    preset: ExchangePreset | None = strawberry.field(default=None, description="The preset as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


@strawberry.type(description="What became of a preset server that was to go.")
class RemoveExchangePresetPayload:
    """Either the domain or errors."""

    removed_domain: str | None = strawberry.field(default=None, description="The domain that has no preset any more.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was changed.")


DomainArgument = Annotated[str, strawberry.argument(description="Such as `example.com`.")]


@strawberry.type(description="Mutations of the account's settings.")
class AccountMutations:
    """Part of the schema's mutations. All are for owners and admins."""

    @mutation(
        AccountPayload,
        Access.SIGNED_IN,
        "For owners and admins: have booked meetings moved and cancelled, and CRM meetings synchronized, on Exchange "
        "calendars too (`true`), or not (`false`, the default). Holds for everybody in the account, for meetings that "
        "are booked already as well.",
        Code.PERMISSION_MISSING,
        Code.CONCURRENT_CHANGE,
    )
    async def set_exchange_full_sync(
        self, info: Info, enabled: Annotated[bool, strawberry.argument(description="Whether the limits are lifted.")]
    ) -> AccountPayload:
        operation = info.context
        caller, clock = operation.signed_in(), operation.tools.clock
        await again_on_conflict(
            lambda: switch_exchange_full_sync(on=enabled, caller=caller, begin=operation.begin, clock=clock)
        )
        account = await _account_now(operation)
        return AccountPayload(account=Account.of(account) if account else None)

    @mutation(
        AccountPayload,
        Access.SIGNED_IN,
        "For owners and admins: set which mail domains are the organisation's own, beside those of its people, in "
        "place of those that were set before. Events in people's calendars with nobody but colleagues go on no record. "
        "A domain stands for everything below it, too.",
        Code.VALIDATION,
        Code.PERMISSION_MISSING,
        Code.CONCURRENT_CHANGE,
    )
    async def set_internal_domains(
        self,
        info: Info,
        domains: Annotated[
            list[str], strawberry.argument(description="Such as `example.com`, in any order; none to have none.")
        ],
    ) -> AccountPayload:
        operation = info.context
        caller, clock = operation.signed_in(), operation.tools.clock
        await again_on_conflict(
            lambda: choose_internal_domains(domains, caller=caller, begin=operation.begin, clock=clock)
        )
        account = await _account_now(operation)
        return AccountPayload(account=Account.of(account) if account else None)

    @mutation(
        ExchangePresetPayload,
        Access.SIGNED_IN,
        "For owners and admins: set the Exchange server of a domain. Its people find it filled in, and it is taken "
        "where they leave it out. A domain has Exchange settings or those of another kind, never both.",
        Code.VALIDATION,
        Code.EXCHANGE_URL_INVALID,
        Code.USE_OFFICE365,
        Code.PERMISSION_MISSING,
        Code.CONCURRENT_CHANGE,
    )
    async def set_exchange_preset(
        self,
        info: Info,
        domain: DomainArgument,
        server_url: Annotated[
            str, strawberry.argument(description="Such as `https://mail.example.com/ews/exchange.asmx`.")
        ],
    ) -> ExchangePresetPayload:
        operation = info.context
        caller, clock = operation.signed_in(), operation.tools.clock
        await again_on_conflict(
            lambda: preset_exchange(domain, server_url, caller=caller, begin=operation.begin, clock=clock)
        )
        preset = exchange_preset_of(await _account_now(operation), domain)
        return ExchangePresetPayload(preset=ExchangePreset.of(preset) if preset else None)

    @mutation(
        RemoveExchangePresetPayload,
        Access.SIGNED_IN,
        "For owners and admins: have the people of a domain type their server in again. Connected mailboxes stay "
        "connected.",
        Code.NOT_FOUND,
        Code.PERMISSION_MISSING,
        Code.CONCURRENT_CHANGE,
    )
    async def remove_exchange_preset(self, info: Info, domain: DomainArgument) -> RemoveExchangePresetPayload:
        operation = info.context
        caller, clock = operation.signed_in(), operation.tools.clock
        await again_on_conflict(
            lambda: remove_exchange_preset(domain, caller=caller, begin=operation.begin, clock=clock)
        )
        return RemoveExchangePresetPayload(removed_domain=mail_domain(domain))


def exchange_preset_of(account: stored.Account | None, address: str) -> stored.MailPreset | None:
    """What is preset for the domain of an address, or for a domain, if it is Exchange."""
    known = mail_domain(address)
    preset = account.mail_preset(known) if account and known else None
    return preset if preset and preset.kind is MailServerKind.EXCHANGE else None


async def _account_now(operation: Operation) -> stored.Account | None:
    operation.forget_loaded()
    return await operation.loaders(operation.signed_in().account_id).account()
