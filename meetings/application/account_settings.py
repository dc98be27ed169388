"""What owners and admins set for the whole account: servers that people need not type in, limits that do not hold."""

from collections.abc import Callable, Sequence

from meetings.application.ports.clock import Clock
from meetings.application.ports.identities import Caller
from meetings.application.ports.unit_of_work import Begin
from meetings.domain.account import Account, MailPreset, MailServerKind
from meetings.domain.base import NotFound, refuse
from meetings.domain.exchange_address import service_url
from meetings.domain.mail_domain import mail_domain, mail_domain_problem


async def preset_exchange(domain: str, server_url: str, *, caller: Caller, begin: Begin, clock: Clock) -> None:
    """Have people with addresses in a domain find their Exchange server without typing it in (A-EX3).

    Raises:
        PermissionMissing: the caller is neither owner nor admin.
        InvalidInput: no domain, or the domain has settings of another kind.
        ExchangeUrlInvalid, HostedByMicrosoft: not the address of a server of one's own.
    """
    refuse(mail_domain_problem(domain, "domain"))
    preset = MailPreset(mail_domain(domain) or "", MailServerKind.EXCHANGE, service_url(server_url))
    await _change(lambda account: account.preset_mail_server(preset, now=clock()), caller=caller, begin=begin)


async def remove_exchange_preset(domain: str, *, caller: Caller, begin: Begin, clock: Clock) -> None:
    """Have people of a domain type their server in again; connections that stand stay as they are.

    Raises:
        PermissionMissing: the caller is neither owner nor admin.
        NotFound: there is no such preset.
    """

    def change(account: Account) -> None:
        known = mail_domain(domain)
        if known is None:
            raise NotFound("preset", ("domain",))
        account.remove_mail_preset(known, MailServerKind.EXCHANGE, now=clock())

    await _change(change, caller=caller, begin=begin)


async def switch_exchange_full_sync(*, on: bool, caller: Caller, begin: Begin, clock: Clock) -> None:
    """Lift the limits of Exchange for everybody in the account, or have them hold again.

    Raises:
        PermissionMissing: the caller is neither owner nor admin.
    """
    await _change(lambda account: account.switch_exchange_full_sync(on=on, now=clock()), caller=caller, begin=begin)


async def choose_internal_domains(domains: Sequence[str], *, caller: Caller, begin: Begin, clock: Clock) -> None:
    """Have exactly these mail domains, beside those of the account's people, count as the organisation's own: who has
    an address there is no contact when calendars are looked through (A-CR1).

    Raises:
        PermissionMissing: the caller is neither owner nor admin.
        InvalidInput: too many, or one that is no domain.
    """
    await _change(lambda account: account.choose_internal_domains(domains, now=clock()), caller=caller, begin=begin)


async def _change(change: Callable[[Account], None], *, caller: Caller, begin: Begin) -> None:
    async with begin(caller.account_id) as work:
        (await work.users.get(caller.user_id)).check_administers()
        change(await work.account())
        await work.commit()
