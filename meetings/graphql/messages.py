"""What people read when something cannot be done, in their language. The codes are the contract, the words are not."""

from collections.abc import Mapping, Sequence
from string import Formatter

LANGUAGES = ("en", "de")
"""The languages there are words for, the first one for everybody else."""

_ENGLISH: Mapping[str, str | Sequence[str]] = {
    # --- rules of input -----------------------------------------------------------------------------------------------
    "REQUIRED": "Please fill this in.",
    "TOO_LONG": ("This is too long: at most {most} characters.", "This is too long."),
    "TOO_SMALL": ("This is too small: at least {least}.", "This is too small."),
    "TOO_LARGE": ("This is too large: at most {most}.", "This is too large."),
    "TOO_MANY": ("These are too many: at most {most}.", "These are too many."),
    "NOT_ONE_OF": ("Please choose one of: {options}.", "Please choose one of the offered values."),
    "NOT_A_NUMBER": "Please enter a number.",
    "NOT_A_DATE": "Please enter a date such as 2026-11-03.",
    "NOT_A_URL": "Please enter a web address that begins with https:// or http://.",
    "NOT_AN_EMAIL": "Please enter an e-mail address such as name@example.com.",
    "NOT_A_PHONE_NUMBER": "Please enter a phone number.",
    "NOT_A_TIME_ZONE": "Please choose a time zone such as Europe/Berlin.",
    "NOT_A_LOCALE": "Please choose a language such as en or de-DE.",
    "NOT_A_COLOR": "Please enter a colour such as #1a2b3c.",
    "NOT_YES_OR_NO": "Please answer true or false.",
    "NOT_A_DOMAIN": "Please enter a domain such as example.com.",
    "NOT_A_CERTIFICATE": "Please paste certificates that begin with -----BEGIN CERTIFICATE-----, and nothing else.",
    "CONTROL_CHARACTERS": "This holds characters that cannot be shown.",
    "DUPLICATE": "This is there twice.",
    "END_BEFORE_START": "The end lies before the start.",
    "OVERLAPS": "This overlaps another entry.",
    "UNKNOWN_TOKEN": ("{{{{{token}}}}} is not known here. Known are: {known}.", "A placeholder is not known here."),
    "UNKNOWN": "This does not exist.",
    "RESERVED": "This word is reserved, please choose another one.",
    "MALFORMED": "This holds characters that are not allowed here.",
    "CANNOT_CHANGE": "This cannot be changed any more.",
    "NOT_AVAILABLE_YET": ("This is not available yet. Available: {available}.", "This is not available yet."),
    "WHOLE_DAYS_ONLY": "Please give whole days, such as P30D.",
    "DEFAULT_CALENDAR_MUST_BLOCK": "The calendar that receives bookings always blocks time; it cannot be left out.",
    "NOT_WRITABLE": "Bookings cannot be written into this calendar: you may only read it.",
    "MOVE_DEFAULT_FIRST": "This is your default page. Please choose another default page first.",
    "HAS_BOOKINGS": "There are bookings already.",
    "NOT_ALLOWED_HERE": "This is not allowed here.",
    "REQUIRED_BY_SERVER": "Your server needs this as well.",
    "USERNAME_REQUIRED": "Your server does not accept this address with this password. If the password is right, "
    "please enter the user name that you sign in with, too.",
    "URL_REQUIRED": "Your server was not found by the address. Please enter its Exchange URL, too.",
    "LAST_OWNER": "The account needs an owner. Please make somebody else one first.",
    "OTHER_MAIL_SETTINGS": "There are settings for another kind of mail server for this domain. Remove them first.",
    # --- rules that read differently under a code ---------------------------------------------------------------------
    "GUESTS_NOT_ALLOWED.NOT_ALLOWED_HERE": "Guests cannot be brought to this meeting.",
    "GUESTS_NOT_ALLOWED.TOO_MANY": "At most {most} guests can be brought to this meeting.",
    "FORM_FIELD_UNKNOWN.UNKNOWN": "The form has no such field.",
    "LEGAL_CONSENT_MISSING.REQUIRED": "Your consent is needed here.",
    "DURATION_NOT_OFFERED.NOT_ONE_OF": "Please choose one of the offered durations: {options} minutes.",
    "CALENDAR_NOT_ELIGIBLE.UNKNOWN": "This calendar cannot be used: it is not, or not fully, shared with your account.",
    "SLUG_INVALID.MALFORMED": "Use small letters, digits, dots, dashes and underscores, with at most one slash.",
    # --- everything else that can be refused --------------------------------------------------------------------------
    "VALIDATION": "This value is not accepted.",
    "EMAIL_INVALID": "Please enter an e-mail address such as name@example.com.",
    "EMAIL_DOMAIN_BLOCKED": "Addresses of this domain are not accepted here.",
    "TIMEZONE_INVALID": "Please choose a time zone such as Europe/Berlin.",
    "SLUG_INVALID": "This cannot be part of an address.",
    "SLUG_TAKEN": "This address is taken by another page. Please choose another one.",
    "FORM_FIELD_MISSING": "Please fill this in.",
    "FORM_FIELD_UNKNOWN": "The form has no such field.",
    "GUESTS_NOT_ALLOWED": "Guests cannot be brought to this meeting.",
    "LEGAL_CONSENT_MISSING": "Your consent is needed here.",
    "DURATION_NOT_OFFERED": "This duration is not offered.",
    "CALENDAR_NOT_ELIGIBLE": "This calendar cannot be used.",
    "DOMAIN_NOT_CONNECTED": "This domain is not connected. Add it to the account's domains and show that "
    "you control it.",
    "DOMAIN_TAKEN": "Another account has connected this domain.",
    "DNS_NOT_READY": "The DNS record was not found yet. After a change it can take a while until it is seen.",
    "PROVIDER_UNAVAILABLE.CRM": "HubSpot refuses us. Somebody who administers the account has to connect it again.",
    "PROVIDER_UNAVAILABLE.DNS": "The domain's DNS cannot be reached at the moment. Please try again shortly.",
    "CAPTCHA_FAILED": "Please show once more that you are not a program.",
    "PROVIDER_UNAVAILABLE.CAPTCHA": "The check cannot be reached at the moment. Please try again shortly.",
    "PAGE_NOT_FOUND": "There is no page at this address (any more).",
    "NOT_FOUND": "This does not exist (any more).",
    "TOKEN_INVALID": "This link is not valid (any more).",
    "PERMISSION_MISSING": "You are not allowed to do this.",
    "PLAN_REQUIRED": (
        "Your subscription does not include this. It takes one of {hubs}, {tier} or higher.",
        "Your subscription does not include this.",
    ),
    "SEAT_REQUIRED": ("This takes a seat of {hubs}. Please ask an admin for one.", "This takes a seat."),
    "PAGE_LIMIT_REACHED": (
        "You can have no more pages than {most}. For more, it takes one of {hubs}, {tier} or higher.",
        "There can be no more pages than {most}.",
        "There can be no more pages.",
    ),
    "EMAIL_TAKEN": "Somebody signs in with this address already.",
    "STALE_REVISION": "Somebody else changed this meanwhile. Please load it again.",
    "CONCURRENT_CHANGE": "Too many changes at the same time. Please try again.",
    "CONSENT_REQUIRED": "Please read and accept the current information first.",
    "ALREADY_CONNECTED": "You have connected a calendar already. Disconnect it first, or sign in to it again.",
    "ALREADY_CONNECTED.MAILBOX": "This address is connected already, as a mailbox of yours or of a colleague's.",
    "NOT_CONNECTED": "There is no connected calendar.",
    "NOT_CONNECTED.MAILBOX": "There is no connected mailbox to send from.",
    "CAPABILITY_UNSUPPORTED": "The calendar's provider cannot do this.",
    "CAPABILITY_UNSUPPORTED.TEAM_MAIL": "Mailboxes of this kind are personal and cannot be a team's. Please take "
    "hosted team mail: it needs no mailbox.",
    "CREDENTIALS_REJECTED": "The address or the password is not right.",
    "CREDENTIALS_REJECTED.CALENDAR": "The calendar's provider asks you to sign in again.",
    "CREDENTIALS_REJECTED.CRM": "HubSpot does not accept this token, or it lacks a permission that is needed.",
    "CREDENTIALS_REJECTED.MAILBOX": "The server does not accept this user name and password.",
    "APP_PASSWORD_REQUIRED": "This account asks for a second factor when signing in. Please enter an app password "
    "instead of your own.",
    "EXCHANGE_URL_INVALID": (
        "This is not the address of an Exchange web service. Did you mean {suggestion}?",
        "This is not the address of an Exchange web service. It looks like https://mail.example.com/ews/exchange.asmx.",
    ),
    "EXCHANGE_URL_INVALID.FORBIDDEN": "Your server is in a network that this product is not allowed to call. Whoever "
    "runs the product can allow it.",
    "EXCHANGE_VERSION_UNSUPPORTED": (
        "Your server is {version}; Exchange 2010 SP2 or later is needed.",
        "Your server is too old; Exchange 2010 SP2 or later is needed.",
    ),
    "EXCHANGE_UNREACHABLE": (
        "Your server cannot be reached. Please check the address, or ask your IT to let us in from {ranges}.",
        "Your server cannot be reached. Please check the address, or ask your IT to let us in: to put the addresses "
        "of this product on their allowlist.",
    ),
    "CALENDAR_NOT_ELIGIBLE.MAILBOX": "This mailbox has no calendar that bookings can be written into.",
    "EXCHANGE_UNREACHABLE.CERTIFICATE": "The certificate of your server cannot be trusted, so no password was sent. "
    "Please ask your IT for a valid one, or for the certificate of the authority that issued it.",
    "MAIL_SERVER_UNREACHABLE": "Your mail server cannot be reached. Please check its address and port.",
    "MAIL_SERVER_UNREACHABLE.FORBIDDEN": "Your mail server is in a network that this product is not allowed to call. "
    "Whoever runs the product can allow it.",
    "MAIL_SERVER_UNREACHABLE.CERTIFICATE": "The certificate of your mail server cannot be trusted, so no password was "
    "sent. Please ask your IT for a valid one.",
    "IMAP_USERNAME_REQUIRED": "Your server does not accept this address with this password. If the password is right, "
    "please enter the user name that you sign in with, too.",
    "IMAP_URL_REQUIRED": "Your mail server was not found by the address. Please enter it, too.",
    "USE_OFFICE365": "Microsoft hosts this mailbox. Please connect it as Office 365 instead.",
    "SHARED_MAILBOX_NOT_ALLOWED": "This is a mailbox of a team, a room or a thing. Only personal mailboxes can be "
    "connected; for the mail of a team, use hosted team mail.",
    "MAILBOX_NOT_FOUND": "This account has no mailbox.",
    "SLOT_TAKEN": ("This time was just taken.",),
    "SLOT_UNAVAILABLE": "This time is not offered.",
    "PAGE_OFFLINE": "This page cannot be booked at once. Please propose times instead.",
    "PAGE_ONLINE": "This page can be booked at once; there is no need to propose times.",
    "BOOKING_BLOCKED": "This page cannot be booked at the moment.",
    "CONTACT_OPTED_OUT": "One of these contacts wants no mails of sequences.",
    "ENROLLMENT_ENDED": "This has ended, and cannot be paused or go on.",
    "UPCOMING_MEETINGS": "Meetings with this person are still to come. Please call them off first.",
    "BOOKING_STATE_INVALID": "This is not possible with this booking (any more).",
    "BOOKING_STATE_INVALID.CLOSED": "It is too late to change this booking.",
    "IDEMPOTENCY_CONFLICT": "This was sent before with other details. Please send it anew.",
    "RATE_LIMITED": "That was too often. Please try again later.",
    "RATE_LIMITED.HOLD": "You are holding other times already. Let one of them go first.",
    "RATE_LIMITED.MAILS": "Your mailbox has sent {most} mails in 24 hours, which is as many as it may.",
    "RATE_LIMITED.SERVER": "Your server takes no further try for now. Please wait a little.",
    "PROVIDER_UNAVAILABLE": "The calendar cannot be reached at the moment. Please try again in a moment.",
}

_GERMAN: Mapping[str, str | Sequence[str]] = {
    "REQUIRED": "Bitte ausfüllen.",
    "TOO_LONG": ("Das ist zu lang: höchstens {most} Zeichen.", "Das ist zu lang."),
    "TOO_SMALL": ("Das ist zu klein: mindestens {least}.", "Das ist zu klein."),
    "TOO_LARGE": ("Das ist zu groß: höchstens {most}.", "Das ist zu groß."),
    "TOO_MANY": ("Das sind zu viele: höchstens {most}.", "Das sind zu viele."),
    "NOT_ONE_OF": ("Bitte eines davon wählen: {options}.", "Bitte einen der angebotenen Werte wählen."),
    "NOT_A_NUMBER": "Bitte eine Zahl eingeben.",
    "NOT_A_DATE": "Bitte ein Datum wie 2026-11-03 eingeben.",
    "NOT_A_URL": "Bitte eine Internetadresse eingeben, die mit https:// oder http:// beginnt.",
    "NOT_AN_EMAIL": "Bitte eine E-Mail-Adresse wie name@example.com eingeben.",
    "NOT_A_PHONE_NUMBER": "Bitte eine Telefonnummer eingeben.",
    "NOT_A_TIME_ZONE": "Bitte eine Zeitzone wie Europe/Berlin wählen.",
    "NOT_A_LOCALE": "Bitte eine Sprache wie en oder de-DE wählen.",
    "NOT_A_COLOR": "Bitte eine Farbe wie #1a2b3c eingeben.",
    "NOT_YES_OR_NO": "Bitte mit true oder false antworten.",
    "NOT_A_DOMAIN": "Bitte eine Domain wie example.com eingeben.",
    "NOT_A_CERTIFICATE": "Bitte nur Zertifikate einfügen, die mit -----BEGIN CERTIFICATE----- beginnen.",
    "CONTROL_CHARACTERS": "Hier stehen Zeichen, die sich nicht darstellen lassen.",
    "DUPLICATE": "Das steht doppelt da.",
    "END_BEFORE_START": "Das Ende liegt vor dem Anfang.",
    "OVERLAPS": "Das überschneidet sich mit einem anderen Eintrag.",
    "UNKNOWN_TOKEN": (
        "{{{{{token}}}}} ist hier nicht bekannt. Bekannt sind: {known}.",
        "Ein Platzhalter ist hier nicht bekannt.",
    ),
    "UNKNOWN": "Das gibt es nicht.",
    "RESERVED": "Dieses Wort ist reserviert, bitte ein anderes wählen.",
    "MALFORMED": "Hier stehen Zeichen, die nicht erlaubt sind.",
    "CANNOT_CHANGE": "Das lässt sich nicht mehr ändern.",
    "NOT_AVAILABLE_YET": ("Das gibt es noch nicht. Verfügbar: {available}.", "Das gibt es noch nicht."),
    "WHOLE_DAYS_ONLY": "Bitte ganze Tage angeben, etwa P30D.",
    "DEFAULT_CALENDAR_MUST_BLOCK": "Der Kalender für Buchungen blockiert immer Zeit; er kann nicht weggelassen werden.",
    "NOT_WRITABLE": "In diesen Kalender können keine Buchungen eingetragen werden: Sie dürfen ihn nur lesen.",
    "MOVE_DEFAULT_FIRST": "Das ist Ihre Standardseite. Bitte zuerst eine andere Standardseite wählen.",
    "HAS_BOOKINGS": "Es gibt schon Buchungen.",
    "NOT_ALLOWED_HERE": "Das ist hier nicht erlaubt.",
    "REQUIRED_BY_SERVER": "Ihr Server braucht auch das.",
    "USERNAME_REQUIRED": "Ihr Server nimmt diese Adresse mit diesem Passwort nicht an. Wenn das Passwort stimmt, bitte "
    "auch den Benutzernamen eingeben, mit dem Sie sich anmelden.",
    "URL_REQUIRED": "Ihr Server wurde über die Adresse nicht gefunden. Bitte auch seine Exchange-URL eingeben.",
    "LAST_OWNER": "Das Konto braucht mindestens einen Inhaber. Bitte zuerst jemand anderen dazu machen.",
    "OTHER_MAIL_SETTINGS": "Für diese Domain gibt es Einstellungen für eine andere Art von Mailserver. Bitte zuerst "
    "diese entfernen.",
    "GUESTS_NOT_ALLOWED.NOT_ALLOWED_HERE": "Zu diesem Termin können keine Gäste mitgebracht werden.",
    "GUESTS_NOT_ALLOWED.TOO_MANY": "Zu diesem Termin können höchstens {most} Gäste mitgebracht werden.",
    "FORM_FIELD_UNKNOWN.UNKNOWN": "Dieses Feld gibt es im Formular nicht.",
    "LEGAL_CONSENT_MISSING.REQUIRED": "Hier wird Ihre Einwilligung gebraucht.",
    "DURATION_NOT_OFFERED.NOT_ONE_OF": "Bitte eine der angebotenen Dauern wählen: {options} Minuten.",
    "CALENDAR_NOT_ELIGIBLE.UNKNOWN": "Dieser Kalender ist nicht verwendbar: Er ist nicht oder nicht ganz für Ihr "
    "Konto freigegeben.",
    "SLUG_INVALID.MALFORMED": "Erlaubt sind Kleinbuchstaben, Ziffern, Punkte, Binde- und Unterstriche und höchstens "
    "ein Schrägstrich.",
    "VALIDATION": "Dieser Wert wird nicht angenommen.",
    "EMAIL_INVALID": "Bitte eine E-Mail-Adresse wie name@example.com eingeben.",
    "EMAIL_DOMAIN_BLOCKED": "Adressen dieser Domain werden hier nicht angenommen.",
    "TIMEZONE_INVALID": "Bitte eine Zeitzone wie Europe/Berlin wählen.",
    "SLUG_INVALID": "Das kann nicht Teil einer Adresse sein.",
    "SLUG_TAKEN": "Diese Adresse gehört schon einer anderen Seite. Bitte eine andere wählen.",
    "FORM_FIELD_MISSING": "Bitte ausfüllen.",
    "FORM_FIELD_UNKNOWN": "Dieses Feld gibt es im Formular nicht.",
    "GUESTS_NOT_ALLOWED": "Zu diesem Termin können keine Gäste mitgebracht werden.",
    "LEGAL_CONSENT_MISSING": "Hier wird Ihre Einwilligung gebraucht.",
    "DURATION_NOT_OFFERED": "Diese Dauer wird nicht angeboten.",
    "CALENDAR_NOT_ELIGIBLE": "Dieser Kalender ist nicht verwendbar.",
    "DOMAIN_NOT_CONNECTED": "Diese Domain ist nicht verbunden. Bitte unter den Domains des Kontos hinzufügen und "
    "nachweisen, dass sie Ihnen gehört.",
    "DOMAIN_TAKEN": "Ein anderes Konto hat diese Domain verbunden.",
    "DNS_NOT_READY": "Der DNS-Eintrag wurde noch nicht gefunden. Nach einer Änderung kann das dauern.",
    "PROVIDER_UNAVAILABLE.CRM": "HubSpot weist uns ab. Wer das Konto verwaltet, muss es neu verbinden.",
    "PROVIDER_UNAVAILABLE.DNS": "Das DNS der Domain ist zurzeit nicht erreichbar. Bitte gleich noch einmal versuchen.",
    "CAPTCHA_FAILED": "Bitte zeigen Sie noch einmal, dass Sie kein Programm sind.",
    "PROVIDER_UNAVAILABLE.CAPTCHA": "Die Prüfung ist zurzeit nicht erreichbar. Bitte gleich noch einmal versuchen.",
    "PAGE_NOT_FOUND": "Unter dieser Adresse gibt es keine Seite (mehr).",
    "NOT_FOUND": "Das gibt es nicht (mehr).",
    "TOKEN_INVALID": "Dieser Link gilt nicht (mehr).",
    "PERMISSION_MISSING": "Das dürfen Sie nicht.",
    "PLAN_REQUIRED": (
        "Das ist in Ihrem Abonnement nicht enthalten. Nötig ist eines von {hubs}, {tier} oder höher.",
        "Das ist in Ihrem Abonnement nicht enthalten.",
    ),
    "SEAT_REQUIRED": (
        "Dafür ist eine Lizenz von {hubs} nötig. Bitten Sie Ihre Administration darum.",
        "Dafür ist eine Lizenz nötig.",
    ),
    "PAGE_LIMIT_REACHED": (
        "Mehr Seiten als {most} sind nicht möglich. Für mehr ist eines von {hubs}, {tier} oder höher nötig.",
        "Mehr Seiten als {most} sind nicht möglich.",
        "Mehr Seiten sind nicht möglich.",
    ),
    "EMAIL_TAKEN": "Mit dieser Adresse meldet sich schon jemand an.",
    "STALE_REVISION": "Jemand anderes hat das inzwischen geändert. Bitte neu laden.",
    "CONCURRENT_CHANGE": "Zu viele Änderungen zur gleichen Zeit. Bitte noch einmal versuchen.",
    "CONSENT_REQUIRED": "Bitte zuerst die aktuellen Hinweise lesen und annehmen.",
    "ALREADY_CONNECTED": "Sie haben schon einen Kalender verbunden. Trennen Sie ihn zuerst, oder melden Sie sich neu "
    "bei ihm an.",
    "ALREADY_CONNECTED.MAILBOX": "Diese Adresse ist schon verbunden, als Ihr Postfach oder das eines Kollegen.",
    "NOT_CONNECTED": "Es ist kein Kalender verbunden.",
    "NOT_CONNECTED.MAILBOX": "Es ist kein Postfach verbunden, aus dem gesendet werden könnte.",
    "CAPABILITY_UNSUPPORTED": "Der Anbieter des Kalenders kann das nicht.",
    "CAPABILITY_UNSUPPORTED.TEAM_MAIL": "Postfächer dieser Art sind persönlich und können keinem Team gehören. Bitte "
    "nehmen Sie eine gehostete Teamadresse: Sie braucht kein Postfach.",
    "CREDENTIALS_REJECTED": "Die Adresse oder das Passwort stimmt nicht.",
    "CREDENTIALS_REJECTED.CALENDAR": "Der Anbieter des Kalenders bittet Sie, sich neu anzumelden.",
    "CREDENTIALS_REJECTED.CRM": "HubSpot nimmt dieses Token nicht an, oder ihm fehlt eine Berechtigung.",
    "CREDENTIALS_REJECTED.MAILBOX": "Der Server nimmt diesen Benutzernamen und dieses Passwort nicht an.",
    "APP_PASSWORD_REQUIRED": "Dieses Konto verlangt beim Anmelden einen zweiten Faktor. Bitte statt Ihres Passworts "
    "ein App-Kennwort eingeben.",
    "EXCHANGE_URL_INVALID": (
        "Das ist nicht die Adresse eines Exchange-Webdienstes. Meinten Sie {suggestion}?",
        "Das ist nicht die Adresse eines Exchange-Webdienstes. Sie sieht so aus: "
        "https://mail.example.com/ews/exchange.asmx.",
    ),
    "EXCHANGE_URL_INVALID.FORBIDDEN": "Ihr Server steht in einem Netz, das dieses Produkt nicht aufrufen darf. Wer es "
    "betreibt, kann das erlauben.",
    "EXCHANGE_VERSION_UNSUPPORTED": (
        "Ihr Server ist {version}; nötig ist Exchange 2010 SP2 oder neuer.",
        "Ihr Server ist zu alt; nötig ist Exchange 2010 SP2 oder neuer.",
    ),
    "EXCHANGE_UNREACHABLE": (
        "Ihr Server ist nicht erreichbar. Bitte die Adresse prüfen, oder Ihre IT bitten, uns durchzulassen, und zwar "
        "von {ranges}.",
        "Ihr Server ist nicht erreichbar. Bitte die Adresse prüfen, oder Ihre IT bitten, uns durchzulassen: die "
        "Adressen dieses Produkts in ihre Freigabeliste aufzunehmen.",
    ),
    "CALENDAR_NOT_ELIGIBLE.MAILBOX": "In diesem Postfach gibt es keinen Kalender, in den sich Buchungen eintragen "
    "lassen.",
    "EXCHANGE_UNREACHABLE.CERTIFICATE": "Dem Zertifikat Ihres Servers ist nicht zu trauen; das Passwort wurde deshalb "
    "nicht gesendet. Bitte Ihre IT um ein gültiges bitten, oder um das Zertifikat der Stelle, die es ausgestellt hat.",
    "MAIL_SERVER_UNREACHABLE": "Ihr Mailserver ist nicht erreichbar. Bitte Adresse und Port prüfen.",
    "MAIL_SERVER_UNREACHABLE.FORBIDDEN": "Ihr Mailserver steht in einem Netz, das dieses Produkt nicht aufrufen darf. "
    "Wer es betreibt, kann das erlauben.",
    "MAIL_SERVER_UNREACHABLE.CERTIFICATE": "Dem Zertifikat Ihres Mailservers ist nicht zu trauen; das Passwort wurde "
    "deshalb nicht gesendet. Bitte Ihre IT um ein gültiges bitten.",
    "IMAP_USERNAME_REQUIRED": "Ihr Server nimmt diese Adresse mit diesem Passwort nicht an. Wenn das Passwort stimmt, "
    "bitte auch den Benutzernamen eingeben, mit dem Sie sich anmelden.",
    "IMAP_URL_REQUIRED": "Ihr Mailserver wurde über die Adresse nicht gefunden. Bitte auch ihn eingeben.",
    "USE_OFFICE365": "Dieses Postfach liegt bei Microsoft. Bitte stattdessen als Office 365 verbinden.",
    "SHARED_MAILBOX_NOT_ALLOWED": "Das ist das Postfach eines Teams, eines Raums oder eines Geräts. Verbinden lassen "
    "sich nur persönliche Postfächer; für Post eines Teams gibt es gehostete Teamadressen.",
    "MAILBOX_NOT_FOUND": "Dieses Konto hat kein Postfach.",
    "SLOT_TAKEN": "Diese Zeit wurde gerade vergeben.",
    "SLOT_UNAVAILABLE": "Diese Zeit wird nicht angeboten.",
    "PAGE_OFFLINE": "Diese Seite lässt sich nicht sofort buchen. Bitte schlagen Sie Zeiten vor.",
    "PAGE_ONLINE": "Diese Seite lässt sich sofort buchen; es müssen keine Zeiten vorgeschlagen werden.",
    "BOOKING_BLOCKED": "Diese Seite lässt sich zurzeit nicht buchen.",
    "CONTACT_OPTED_OUT": "Einer dieser Kontakte möchte keine Mails aus Sequenzen bekommen.",
    "ENROLLMENT_ENDED": "Das ist zu Ende und lässt sich weder anhalten noch fortsetzen.",
    "UPCOMING_MEETINGS": "Mit dieser Person stehen noch Termine bevor. Bitte sagen Sie diese zuerst ab.",
    "BOOKING_STATE_INVALID": "Das geht mit dieser Buchung nicht (mehr).",
    "BOOKING_STATE_INVALID.CLOSED": "Für eine Änderung dieser Buchung ist es zu spät.",
    "IDEMPOTENCY_CONFLICT": "Das wurde schon einmal mit anderen Angaben gesendet. Bitte neu senden.",
    "RATE_LIMITED": "Das war zu oft. Bitte später noch einmal versuchen.",
    "RATE_LIMITED.HOLD": "Sie halten schon andere Zeiten. Geben Sie zuerst eine davon frei.",
    "RATE_LIMITED.MAILS": "Ihr Postfach hat in 24 Stunden {most} E-Mails gesendet, mehr darf es nicht.",
    "RATE_LIMITED.SERVER": "Ihr Server nimmt vorerst keinen weiteren Versuch an. Bitte etwas warten.",
    "PROVIDER_UNAVAILABLE": "Der Kalender ist zurzeit nicht erreichbar. Bitte gleich noch einmal versuchen.",
}

WORDS: Mapping[str, Mapping[str, str | Sequence[str]]] = {"en": _ENGLISH, "de": _GERMAN}


def message(language: str, code: str, detail: str | None = None, values: Mapping[str, object] | None = None) -> str:
    """The words for a code, or more exactly for a rule (`detail`) broken under it, with figures filled in.

    Of several wordings the first one is taken whose figures are all there.

    Raises:
        KeyError: there are no words for it, which a test rules out.
    """
    words = WORDS.get(language, _ENGLISH)
    for key in (f"{code}.{detail}", detail or code, code):
        if key in words:
            return _filled(words[key], values or {})
    raise KeyError(code)


def _filled(wordings: str | Sequence[str], values: Mapping[str, object]) -> str:
    for wording in [wordings] if isinstance(wordings, str) else wordings:
        if all(name is None or name in values for _, name, _, _ in Formatter().parse(wording)):
            return wording.format(**values)
    raise KeyError(wordings)


def language_of(locale: str | None) -> str | None:
    """The language of a tag such as `de-DE`, if there are words in it."""
    language = (locale or "").split("-")[0].lower()
    return language if language in LANGUAGES else None


def preferred_language(accept_language: str) -> str | None:
    """The best language of an `Accept-Language` header (RFC 9110, 12.5.4) that there are words in."""
    wishes: list[tuple[float, str]] = []
    for part in accept_language[:500].split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        language = language_of(tag)
        if language and weight > 0:
            wishes.append((weight, language))
    return max(wishes, key=lambda wish: wish[0])[1] if wishes else None
