"""The methods of Graph that are simulated, one function each, from a read request to an answer.

Source: the reference page of each method in the Microsoft Graph v1.0 documentation.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from meetings.adapters.office365.simulator import errors, events, invitations, listing, view
from meetings.adapters.office365.simulator.errors import GraphError, Json
from meetings.adapters.office365.simulator.listing import DeltaEntry, DeltaState, Window
from meetings.adapters.office365.simulator.odata import Prefer, expanded, page_size, read_filter, selected
from meetings.adapters.office365.simulator.schedule import get_schedule
from meetings.adapters.office365.simulator.subscriptions import Subscriptions
from meetings.adapters.office365.simulator.times import read_instant, windows_name, zone_of
from meetings.adapters.office365.simulator.world import Account, Calendar, World, check_id, immutable_id

METADATA = "https://graph.microsoft.com/v1.0/$metadata"
# "the default page size is 10" and "up to 1000" for lists of events ("Paging Microsoft Graph data", List events).
DEFAULT_PAGE, LARGEST_PAGE = 10, 1000
# Delta pages are larger than those of lists; 50 is assumed.
DELTA_PAGE = 50
_ANSWERS = {"accept": "accepted", "decline": "declined", "tentativelyAccept": "tentativelyAccepted"}


@dataclass
class Settings:
    """Choices of a test.

    Small and empty pages are allowed to Graph at any time, so clients must bear them. `refuse_same_transaction`: what
    repeats a `transactionId` is an error even when it is the same. `link_pending`: the link of a Teams meeting is made
    later, by `finish_online_meeting` (that the service may take its time is assumed). `bin_can_be_read`: a deleted
    event is still given to who asks for its id. `concurrent_calls` is the limit for one mailbox; `service_seconds` is
    how long each call to Graph takes.
    """

    largest_page: int | None = None
    empty_first_page: bool = False
    refuse_same_transaction: bool = False
    link_pending: bool = False
    bin_can_be_read: bool = False
    concurrent_calls: int = 4
    service_seconds: float = 0.0


@dataclass(frozen=True)
class Request:
    """A call that passed the gate. Names in `query` are in small letters; `content` is a body that is plain text."""

    account: Account
    client_id: str
    path: dict[str, str]
    url: str
    query: dict[str, str]
    body: Json
    prefer: Prefer
    if_match: str | None
    content: str | None = None

    @property
    def event_id(self) -> str:
        """The immutable id. Raises GraphError 400 ErrorInvalidIdMalformed."""
        check_id(self.path["event"])
        return immutable_id(self.path["event"])


@dataclass(frozen=True)
class Answer:
    """`content` is an answer that is no JSON."""

    status: int
    body: Json | None = None
    location: str | None = None
    content: bytes | None = None


@dataclass
class CalendarApi:
    """`handlers` answers by operation."""

    world: World
    subscriptions: Subscriptions
    settings: Settings
    handlers: dict[str, Callable[[Request], Answer]] = field(init=False)

    def __post_init__(self) -> None:
        self.handlers = {
            "me.get": self.get_me,
            "mailboxSettings.get": self.get_mailbox_settings,
            "calendars.list": self.list_calendars,
            "calendars.create": self.create_calendar,
            "calendars.get": self.get_calendar,
            "events.list": self.list_events,
            "events.create": self.create_event,
            "events.get": self.get_event,
            "events.update": self.update_event,
            "events.delete": self.delete_event,
            "events.cancel": self.cancel_event,
            "events.respond": self.respond,
            "events.instances": self.list_instances,
            "calendarView.list": self.list_view,
            "calendarView.delta": self.delta,
            "calendar.getSchedule": self.get_schedule,
            "subscriptions.list": lambda request: Answer(200, self.subscriptions.list(request.account)),
            "subscriptions.create": self.create_subscription,
            "subscriptions.get": self.get_subscription,
            "subscriptions.update": self.update_subscription,
            "subscriptions.delete": self.delete_subscription,
            "subscriptions.reauthorize": self.reauthorize_subscription,
        }

    def answer(self, operation: str, request: Request) -> Answer:
        """Raises GraphError 404 MailboxNotEnabledForRESTAPI for everything of a mailbox that is not there."""
        if not request.account.mailbox and operation != "me.get":
            raise errors.no_mailbox(elsewhere=request.account.hybrid)
        return self.handlers[operation](request)

    # -- the person

    def get_me(self, request: Request) -> Answer:
        """An account whose mailbox is on premises has a mail address all the same; one without licence has none
        (assumed)."""
        account = request.account
        given, _, family = account.name.partition(" ")
        about: Json = {
            "@odata.context": f"{METADATA}#users/$entity",
            "businessPhones": [],
            "displayName": account.name,
            "givenName": given,
            "jobTitle": None,
            "mail": account.email if account.mailbox or account.hybrid else None,
            "mobilePhone": None,
            "officeLocation": None,
            "preferredLanguage": None,
            "surname": family or None,
            "userPrincipalName": account.user_principal_name,
            "id": account.object_id,
        }
        more = {"onPremisesSyncEnabled": True if account.hybrid else None, "accountEnabled": True, "userType": "Member"}
        asked = request.query.get("$select")
        return Answer(200, selected({**about, **more}, asked) if asked else about)

    def get_mailbox_settings(self, request: Request) -> Answer:
        zone = windows_name(request.account.time_zone)
        hours = {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": "08:00:00.0000000",
            "endTime": "17:00:00.0000000",
            "timeZone": {"name": zone},
        }
        settings: Json = {
            "@odata.context": f"{METADATA}#users('{request.account.object_id}')/mailboxSettings",
            "timeZone": zone,
            "dateFormat": "dd.MM.yyyy",
            "timeFormat": "HH:mm",
            "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
            "userPurpose": "user",
            "language": {"locale": "de-DE", "displayName": "German (Germany)"},
            "workingHours": hours,
        }
        return Answer(200, selected(settings, request.query.get("$select")))

    # -- calendars

    def list_calendars(self, request: Request) -> Answer:
        account = request.account
        calendars = [self.world.calendars[id_] for id_ in account.entries if id_ not in account.lost]
        shown = [view.calendar_json(self.world, account, each) for each in calendars]
        return self._page(request, shown, f"{METADATA}#users('{account.object_id}')/calendars", DEFAULT_PAGE)

    def create_calendar(self, request: Request) -> Answer:
        name = str(request.body.get("name") or "").strip()
        if not name:
            raise errors.invalid_property("At least one property failed validation.")
        own = [self.world.calendars[id_] for id_ in request.account.entries]
        if any(each.name == name and each.owner == request.account.email for each in own):
            raise GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.")
        calendar = self.world.add_calendar(request.account.email, name, request.account.time_zone)
        return Answer(201, view.calendar_json(self.world, request.account, calendar))

    def get_calendar(self, request: Request) -> Answer:
        seen = view.calendar_json(self.world, request.account, self._calendar(request))
        context = {"@odata.context": f"{METADATA}#users('{request.account.object_id}')/calendars/$entity"}
        return Answer(200, selected({**context, **seen}, request.query.get("$select")))

    # -- events

    def list_events(self, request: Request) -> Answer:
        calendar = self._calendar(request)
        found = listing.plain_list(calendar, read_filter(request.query.get("$filter")))
        shown = [self._seen(request, calendar, each) for each in found]
        return self._page(request, shown, self._context(request, calendar), DEFAULT_PAGE)

    def create_event(self, request: Request) -> Answer:
        calendar = self._calendar(request, write=True)
        stored = events.create(self.world, calendar, request.body, self._wish(request))
        found = events.Found(stored.id, stored.fields, stored)
        seen = self._seen(request, calendar, found, whole=True)
        return Answer(
            201,
            {"@odata.context": self._context(request, calendar) + "/$entity", **seen},
            f"{request.url}/{seen['id']}",
        )

    def get_event(self, request: Request) -> Answer:
        calendar, found = self._event(request, bin_too=self.settings.bin_can_be_read)
        seen = self._seen(request, calendar, found)
        return Answer(200, {"@odata.context": self._context(request, calendar) + "/$entity", **seen})

    def update_event(self, request: Request) -> Answer:
        """200 with the event, whatever the OpenAPI description declares ("Update event", response)."""
        calendar, found = self._event(request, write=True)
        changed = events.update(self.world, calendar, found.id, request.body, self._wish(request))
        seen = self._seen(request, calendar, changed, whole=True)
        return Answer(200, {"@odata.context": self._context(request, calendar) + "/$entity", **seen})

    def delete_event(self, request: Request) -> Answer:
        calendar, found = self._event(request, write=True)
        events.delete(self.world, calendar, found.id, self._wish(request))
        return Answer(204)

    def cancel_event(self, request: Request) -> Answer:
        """202 without a body ("event: cancel", response)."""
        calendar, found = self._event(request, write=True)
        events.cancel(self.world, calendar, found.id, self._wish(request))
        return Answer(202)

    def respond(self, request: Request) -> Answer:
        """accept, decline, tentativelyAccept: 202. The organizer cannot answer (code and wording seen in reports)."""
        calendar, found = self._event(request, write=True)
        if found.fields["isOrganizer"] or found.stored is None:
            message = "You can't respond to this meeting because you're the meeting organizer."
            raise errors.invalid_request(f"Your request can't be completed. {message}")
        invitations.answer(self.world, calendar, found.stored, _ANSWERS[request.path["answer"]], keep=False)
        return Answer(202)

    def list_instances(self, request: Request) -> Answer:
        calendar, found = self._event(request)
        if found.stored is None or not found.stored.is_series:
            raise errors.invalid_request("Only a series has instances.")
        window = self._window(request)
        own = [each for each in listing.view(calendar, window) if each.series is found.stored]
        shown = [self._seen(request, calendar, each) for each in own]
        return self._page(request, shown, self._context(request, calendar), DEFAULT_PAGE)

    # -- views

    def list_view(self, request: Request) -> Answer:
        calendar = self._calendar(request)
        found = listing.view(calendar, self._window(request))
        shown = [self._seen(request, calendar, each) for each in found]
        context = f"{METADATA}#users('{request.account.object_id}')/calendars('{quote(calendar.id)}')/calendarView"
        return self._page(request, shown, context, DEFAULT_PAGE)

    def delta(self, request: Request) -> Answer:
        calendar, query = self._calendar(request), request.query
        if query.get("$skiptoken"):
            state = listing.read_token(query["$skiptoken"], calendar, request.account)
        elif query.get("$deltatoken"):
            state = listing.delta_round(calendar, listing.read_token(query["$deltatoken"], calendar, request.account))
        else:
            state = listing.first_state(calendar, request.account, self._window(request))
        size = min(request.prefer.page_size or DELTA_PAGE, self.settings.largest_page or LARGEST_PAGE)
        page = listing.delta_page(calendar, state, size, empty_first=self.settings.empty_first_page)
        body: Json = {
            "@odata.context": f"{METADATA}#Collection(event)",
            "value": [self._told(request, calendar, entry) for entry in page.entries],
        }
        if page.skip_token is not None:
            body["@odata.nextLink"] = f"{request.url}?$skiptoken={page.skip_token}"
        else:
            body["@odata.deltaLink"] = f"{request.url}?$deltatoken={page.delta_token}"
        return Answer(200, body)

    def get_schedule(self, request: Request) -> Answer:
        return Answer(200, get_schedule(self.world, request.account, request.body, request.prefer))

    # -- subscriptions

    def create_subscription(self, request: Request) -> Answer:
        immutable = request.prefer.immutable_ids
        made = self.subscriptions.create(request.account, request.client_id, request.body, immutable=immutable)
        return Answer(201, {"@odata.context": f"{METADATA}#subscriptions/$entity", **made})

    def get_subscription(self, request: Request) -> Answer:
        return Answer(200, self.subscriptions.get(request.account, request.path["subscription"]))

    def update_subscription(self, request: Request) -> Answer:
        """200 with the subscription ("Update subscription", response)."""
        return Answer(200, self.subscriptions.update(request.account, request.path["subscription"], request.body))

    def delete_subscription(self, request: Request) -> Answer:
        self.subscriptions.delete(request.account, request.path["subscription"])
        return Answer(204)

    def reauthorize_subscription(self, request: Request) -> Answer:
        self.subscriptions.reauthorize(request.account, request.path["subscription"])
        return Answer(204)

    # -- inside

    def _calendar(self, request: Request, *, write: bool = False) -> Calendar:
        return self.world.calendar_for(request.account, request.path.get("calendar"), write=write)

    def _event(self, request: Request, *, write: bool = False, bin_too: bool = False) -> tuple[Calendar, events.Found]:
        """The event, in the calendar of the path or in any that the account reaches. 404 before 403."""
        event_id = request.event_id
        ids = [self._calendar(request).id] if request.path.get("calendar") else request.account.entries
        for calendar_id in ids:
            if not request.path.get("calendar") and calendar_id in request.account.lost:
                continue
            calendar = self.world.calendars[calendar_id]
            try:
                found = events.find(calendar, event_id, bin_too=bin_too)
            except GraphError:
                continue
            return self.world.calendar_for(request.account, calendar_id, write=write), found
        raise errors.item_not_found()

    def _wish(self, request: Request) -> events.Wish:
        return events.Wish(
            actor=request.account,
            if_match=request.if_match,
            refuse_same_transaction=self.settings.refuse_same_transaction,
            link_pending=self.settings.link_pending,
        )

    def _seen(self, request: Request, calendar: Calendar, found: events.Found, *, whole: bool = False) -> Json:
        role = self.world.role(request.account, calendar)
        asked = expanded(request.query.get("$expand"))
        seen = view.event_json(found, role, request.prefer, self.world.pages_url, asked)
        return seen if whole else selected(seen, request.query.get("$select"))

    def _told(self, request: Request, calendar: Calendar, entry: DeltaEntry) -> Json:
        if entry.found is None:
            gone = {"@odata.type": "#microsoft.graph.event", "id": view.told_id(entry.id, request.prefer)}
            return {**gone, "@removed": {"reason": "deleted"}}
        if entry.found.fields["type"] == "occurrence":
            return view.bare_occurrence(entry.found, request.prefer)
        role = self.world.role(request.account, calendar)
        seen = view.event_json(entry.found, role, request.prefer, self.world.pages_url)
        return {"@odata.type": "#microsoft.graph.event", **seen}

    def _window(self, request: Request) -> Window:
        """`startDateTime` and `endDateTime` are required; without an offset they are UTC ("List calendarView")."""
        bounds = []
        for name in ("startDateTime", "endDateTime"):
            text = request.query.get(name.lower())
            if not text:
                message = (
                    "This request requires a time window specified by the query string parameters StartDateTime and"
                )
                raise GraphError(400, "ErrorInvalidParameter", f"{message} EndDateTime.")
            # A plus sign that was not encoded arrives as a blank.
            bounds.append(read_instant(text.replace(" ", "+"), name, zone_of("UTC")))
        return listing.check_window(Window(*bounds))

    def _page(self, request: Request, shown: list[Json], context: str, default: int) -> Answer:
        """`$top` and `$skip`, or `Prefer: odata.maxpagesize`; `@odata.nextLink` repeats the query."""
        asked = page_size(request.query, default=request.prefer.page_size or default, most=LARGEST_PAGE)
        size = min(asked, self.settings.largest_page or LARGEST_PAGE)
        skip = int(request.query.get("$skip") or 0)
        body: Json = {"@odata.context": context, "value": shown[skip : skip + size]}
        if skip + size < len(shown):
            query = {_SPELLED.get(name, name): value for name, value in request.query.items()}
            query["$skip"] = str(skip + size)
            body["@odata.nextLink"] = f"{request.url}?{urlencode(query, safe='$', quote_via=quote)}"
        return Answer(200, body)

    def _context(self, request: Request, calendar: Calendar) -> str:
        return f"{METADATA}#users('{request.account.object_id}')/calendars('{quote(calendar.id)}')/events"


# Names of parameters are read in any case, and given back as the reference spells them.
_SPELLED = {"startdatetime": "startDateTime", "enddatetime": "endDateTime"}


def page_number(query: dict[str, str], largest: int | None) -> int:
    """1 for the first page of a list or round, 2 and more for later ones; for faults that hit page k."""
    if query.get("$skiptoken"):
        try:
            return DeltaState(*listing.token_values(query["$skiptoken"])).page
        except (ValueError, TypeError):
            return 1
    skip, top = query.get("$skip", ""), query.get("$top", "")
    if not skip.isdigit():
        return 1
    size = min(int(top) if top.isdigit() else DEFAULT_PAGE, largest or LARGEST_PAGE)
    return int(skip) // max(size, 1) + 1
