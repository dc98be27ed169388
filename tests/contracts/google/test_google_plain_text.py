"""Descriptions as plain text: what a person reads, and nothing of how it was marked up."""

import pytest

from meetings.adapters.google.plain_text import plain_text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", ""),
        ("Just text\nin two lines", "Just text\nin two lines"),
        ("One<br>two<br/>three", "One\ntwo\nthree"),
        ("<p>One</p><p>Two</p>", "One\nTwo"),
        ("Bring:<ul><li>pens</li><li>paper</li></ul>Thanks", "Bring:\n- pens\n- paper\nThanks"),
        ("<b>Fish</b> &amp; chips &lt;3", "Fish & chips <3"),
        ("a<br><br><br><br>b", "a\n\nb"),
        ('See <a href="https://x.example/">here</a>.', "See here."),
        ("<style>p { color: red }</style>Text<script>alert(1)</script>", "Text"),
        ("1 < 2 and <unknown>x</unknown>", "1 < 2 and x"),
        ("3 <b", "3 <b"),
    ],
)
def test_a_description_is_read_as_text(written: str, read: str) -> None:
    assert plain_text(written) == read
