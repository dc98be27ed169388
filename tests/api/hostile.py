"""Documents that want more than they should get. Each is refused before anything is resolved."""

from collections.abc import Iterator


def _nested(opening: str, levels: int, inner: str = "__typename") -> str:
    return opening * levels + inner + "}" * levels


def _fragments(count: int, spread: str, last: str, on: str = "Viewer") -> str:
    """`F0` spreads `F1`, which spreads `F2`, and so on."""
    parts = [f"fragment F{i} on {on} {{ {spread.format(next=f'F{i + 1}', i=i)} }}" for i in range(count)]
    return " ".join([*parts, f"fragment F{count} on {on} {{ {last} }}"])


def hostile_documents() -> Iterator[tuple[str, str, dict[str, object]]]:
    """What it tries, the document, and its variables."""
    yield from _deep()
    yield from _many()
    yield from _costly()
    yield from _bombs()
    yield from _odd()


def _deep() -> Iterator[tuple[str, str, dict[str, object]]]:
    pages = "viewer { schedulingPages { nodes { bookings { nodes { page { bookings { nodes { page { bookings { nodes {"
    yield "depth by fields", f"{{ {pages} id {'}' * pages.count('{')} }}", {}
    in_fragments = (
        "query { ...A } fragment A on Query { viewer { schedulingPages { nodes { ...B } } } } "
        "fragment B on SchedulingPage { bookings(first: 1) { nodes { page { bookings(first: 1) { nodes { ...C } "
        "} } } } } fragment C on Booking { page { bookings(first: 1) { nodes { page { bookings(first: 1) { nodes "
        "{ id } } } } } } }"
    )
    yield "depth through fragments", in_fragments, {}
    for levels in (61, 120, 300):
        yield f"inline fragments, {levels} deep", "{" + _nested("... on Query {", levels) + "}", {}
        yield f"inline fragments without type, {levels} deep", "{" + _nested("... {", levels) + "}", {}
    for levels in (100, 400, 600):
        yield f"unknown fields, {levels} deep", "{" + _nested("a {", levels) + "}", {}
    yield "a list in a list", "{ nodes(ids: " + "[" * 900 + "]" * 900 + ") { id } }", {}
    yield (
        "an object in an object",
        "{ availability(input: {page: " + "{slug: " * 300 + '""' + "}" * 300 + "}) { mode } }",
        {},
    )
    yield "types of types", "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }", {}
    yield (
        "fields of types of fields",
        ('{ __type(name: "Query") { ' + _nested("fields { type { ", 4, "name").replace("}" * 4, "}" * 8) + " } }"),
        {},
    )
    yield (
        "introspection in fragments",
        (
            "{ __schema { types { ...T } } } fragment T on __Type { fields { type { ...U } } } "
            "fragment U on __Type { fields { type { ...V } } } "
            "fragment V on __Type { fields { type { fields { name } } } }"
        ),
        {},
    )


def _many() -> Iterator[tuple[str, str, dict[str, object]]]:
    for count in (31, 100, 199):
        yield f"{count} aliases", "{ " + " ".join(f"a{i}: server {{ version }}" for i in range(count)) + " }", {}
    yield "aliases of leaves", "{ server { " + " ".join(f"a{i}: version" for i in range(40)) + " } }", {}
    yield (
        "aliases in a fragment",
        ("{ ...F } fragment F on Query { " + " ".join(f"a{i}: server {{ version }}" for i in range(35)) + " }"),
        {},
    )
    yield (
        "aliases by spreading twenty times",
        ("{ viewer { ..." + " ...".join(["F"] * 20) + " } } fragment F on Viewer { a: role b: role }"),
        {},
    )
    for count in (11, 50):
        yield f"{count} root fields", "{ " + "viewer { role } " * count + "}", {}
    yield "root fields in fragments", "{ ...A ...A ...A } fragment A on Query { " + "viewer { role } " * 4 + "}", {}
    yield "four mutations", "mutation { " + " ".join(f"a{i}: signOut {{ signedOut }}" for i in range(4)) + " }", {}
    yield (
        "forty sign-ins",
        (
            "mutation { "
            + " ".join(f'a{i}: signIn(email: "a@b.c", password: "{i}") {{ token }}' for i in range(40))
            + " }"
        ),
        {},
    )
    for count in (21, 200):
        yield f"{count} directives", "{ viewer { role " + "@include(if: true) " * count + "} }", {}
    yield "directives over many fields", "{ server { " + "version @skip(if: false) " * 25 + "} }", {}
    yield "directives on an operation", "query " + "@include(if: true) " * 25 + "{ server { version } }", {}
    yield "unknown directives", "{ server { version " + " ".join(f"@d{i}" for i in range(50)) + " } }", {}
    for count in (990, 1_998, 5_000, 15_000):
        yield f"{count} times the same field", "{ server { " + "version " * count + "} }", {}
    yield "many different fields", "{ server { " + " ".join(f"f{i}" for i in range(1_500)) + " } }", {}
    yield "tokens", "{ " + "a " * 30_000 + "}", {}
    yield "punctuation", "{" * 30_000, {}
    yield "brackets", "{ a(b: " + "[" * 30_000, {}
    yield "variables", "query(" + " ".join(f"$v{i}: Int" for i in range(2_000)) + ") { server { version } }", {}
    yield "two operations", "query A { server { version } } query B { server { version } }", {}
    yield "a hundred operations", " ".join(f"query Q{i} {{ server {{ version }} }}" for i in range(100)), {}
    yield "a hundred unnamed operations", "{ server { version } } " * 100, {}
    yield (
        "an operation of each kind",
        (
            "query A { server { version } } mutation B { signOut { signedOut } } "
            "subscription C { bookingEvents { cursor } }"
        ),
        {},
    )


def _costly() -> Iterator[tuple[str, str, dict[str, object]]]:
    lists = "viewer { schedulingPages(first: %s) { nodes { bookings(first: %s) { nodes { host { id } } } } } }"
    yield "pages of pages", f"{{ {lists % (100, 100)} }}", {}
    yield "pages of pages by variable", f"query($n: Int) {{ {lists % ('$n', '$n')} }}", {"n": 100}
    yield "pages of pages by default", f"query($n: Int = 100) {{ {lists % ('$n', '$n')} }}", {}
    yield "a size far beyond any page", f"{{ {lists % (10**9, 10**9)} }}", {}
    yield (
        "edges as well as nodes",
        (
            "{ viewer { bookings(first: 100) { edges { node { hosts { id } answers { key } guests } } "
            "nodes { hosts { id } answers { key } consents { key } } } } }"
        ),
        {},
    )
    yield (
        "many ids",
        (
            "query($ids: [ID!]!) { nodes(ids: $ids) { ... on SchedulingPage { hosts { user { id } } "
            "bookings(first: 50) { nodes { id } } } } }"
        ),
        {"ids": [str(i) for i in range(100)]},
    )
    yield (
        "many ids, spelt out",
        (
            "{ nodes(ids: [" + " ".join(f'"{i}"' for i in range(100)) + "]) "
            "{ ... on SchedulingPage { bookings(first: 60) { nodes { id } } } } }"
        ),
        {},
    )
    window = 'input: {page: {slug: {slug: "a"}}, from: "2026-12-01", to: "2026-12-31", timeZone: "UTC"}'
    yield (
        "ten windows with all their slots",
        ("{ " + " ".join(f"a{i}: availability({window}) {{ days {{ slots {{ start }} }} }}" for i in range(48)) + " }"),
        {},
    )
    yield (
        "one window again and again",
        (
            f"{{ availability({window}) {{ "
            + " ".join(f"d{i}: days {{ slots {{ start }} }}" for i in range(50))
            + " } }"
        ),
        {},
    )


def _bombs() -> Iterator[tuple[str, str, dict[str, object]]]:
    for count in (8, 30, 100):
        twice = _fragments(count, "...{next} a{i}: role ...{next}", "role")
        yield f"{count} fragments, each spread twice", f"{{ viewer {{ ...F0 }} }} {twice}", {}
    grown = _fragments(
        20, "schedulingPages {{ nodes {{ bookings {{ nodes {{ id }} }} }} }} ...{next} ...{next}", "role"
    )
    yield "a growing tree of lists", f"{{ viewer {{ ...F0 }} }} {grown}", {}
    yield "a chain of 150 fragments", f"{{ viewer {{ ...F0 }} }} {_fragments(150, '...{next}', 'role')}", {}
    yield "a fragment in itself", "{ viewer { ...A } } fragment A on Viewer { role ...A }", {}
    yield (
        "two fragments in each other",
        ("{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }"),
        {},
    )
    yield (
        "a fragment in itself through a field",
        (
            "{ viewer { defaultSchedulingPage { ...A } } } "
            "fragment A on SchedulingPage { bookings { nodes { page { ...A } } } }"
        ),
        {},
    )
    yield "a circle at the root", "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }", {}
    yield (
        "a circle nobody spreads beside a real one",
        ("{ server { version } ...A } fragment A on Query { ... on Query { ...A } }"),
        {},
    )


def _odd() -> Iterator[tuple[str, str, dict[str, object]]]:
    yield "nothing", "", {}
    yield "only a comment", "# nothing", {}
    yield "only a fragment", "fragment A on Query { server { version } }", {}
    yield "a type definition", "type Query { a: Int }", {}
    yield "a type definition beside an operation", "{ server { version } } type A { a: Int }", {}
    yield "a string that does not end", '{ server(a: "', {}
    yield "a huge string", '{ bookingByToken(tokn: "' + "x" * 60_000 + '") { status } }', {}
    yield "a huge number", "{ nodes(ids: " + "9" * 60_000 + ") { nope } }", {}
    yield "a huge name", "{ " + "x" * 60_000 + " }", {}
    yield "control characters", "{ \x00 }", {}
    yield "a lone surrogate", "{ server \udc00 }", {}
    yield "an unknown field", "{ nope }", {}
    yield "an unknown argument", "{ server(nope: 1) { version } }", {}
    yield "an unknown fragment", "{ ...Nope }", {}
    yield "deferring", "{ ... @defer { server { version } } }", {}
    yield (
        "a subscription with two roots",
        ("subscription { bookingEvents { cursor } calendarConnectionStatus { id } }"),
        {},
    )
