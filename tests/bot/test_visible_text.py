"""Control and direction characters in foreign text."""

import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.visible_text import escape_json, isolated, visible, visible_line

KEPT_CF = {
    *range(0x600, 0x606),
    0x6DD,
    0x70F,
    0x890,
    0x891,
    0x8E2,
    0x110BD,
    0x110CD,
    *range(0x13430, 0x13440),
}
"""Format characters with a shape of their own."""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text\n\tof two lines", "plain text\n\tof two lines"),
        ("a\x1b[31mred\x1b]0;title\x07", "a[31mred]0;title"),
        ("a\x9b31m", "a31m"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("ad\u200bm\u2060i\ufeffn\u00ad", "admin"),
        ("a\r\nb\rc\u2028d\x85e", "a\nb\nc\nd\ne"),
        ("pass\u200cword", "password"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("👩\u200d💻 👨🏽\u200d🚀 ❤️\u200d🔥", "👩\u200d💻 👨🏽\u200d🚀 ❤️\u200d🔥"),
        ("👍\u200d", "👍"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",) * 2,
        ("hidden\U000e0069\U000e0067\U000e006e\U000e006f\U000e0072\U000e0065", "hidden"),
        ("half \ud83d", "half \ufffd"),
    ],
)
def test_what_cannot_be_seen_goes_and_joiners_that_show_stay(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_every_control_and_format_character_of_unicode_is_covered() -> None:
    signs = [
        chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in ("Cc", "Cf")
    ]
    passed = {sign for sign in signs if visible(f"a{sign}b") == f"a{sign}b"}
    assert {"\n", "\t"} <= passed <= {"\n", "\t", *map(chr, KEPT_CF)}


@given(st.text())
def test_visible_text_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)
    assert "\n" not in visible_line(text)


def test_a_name_written_from_right_to_left_is_isolated() -> None:
    assert isolated("tr-1") == "tr-1"
    assert isolated("Zoë") == "Zoë"
    assert isolated("שלום") == "\u2068שלום\u2069"
    assert isolated("id-٣") == "\u2068id-٣\u2069"


@given(
    st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)
)
def test_json_with_escaped_characters_is_the_same_data(value: object) -> None:
    document = escape_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(document) == value
    assert visible(document).replace("\ufffd", "") == "".join(
        sign for sign in document if not "\ud800" <= sign <= "\udfff"
    ).replace("\ufffd", "")
