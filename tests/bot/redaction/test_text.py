"""Redaction of texts: idempotent, linear in time, the team's own patterns, and names of people."""

import re
import sys
import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.redaction.clean_texts import MAX_RECENT_HASHES, CleanTexts, digest_of
from bot.redaction.markers import ALL_MARKERS
from bot.redaction.own_patterns import OwnPatterns
from bot.redaction.person_names import PersonNames
from bot.redaction.text import STRETCH_LENGTH, TextRedactor
from memalign.errors import SettingsError

REDACTOR = TextRedactor()
PIECES = [
    "max@example.com",
    "+49 30 123456",
    "030 12345678",
    "4111 1111 1111 1111",
    "DE89370400440532013000",
    "password=hunter2",
    "sk-abcdefghij123",
    "call ",
    "order ",
    "token: ",
    "a",
    "0",
    "(0)",
    " ",
    "-",
    "@",
    ".",
    ":",
    "\n",
    "[",
    "]",
    "415-555-2671",
    "://a:b@",
    *ALL_MARKERS,
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_a_redacted_text_stays_as_it_is(text: str) -> None:
    redacted = REDACTOR.redact(text)
    assert REDACTOR.redact(redacted) == redacted


@given(st.text(max_size=60))
def test_any_text_can_be_redacted_and_words_stay(text: str) -> None:
    letters = re.sub(r"[^a-z ]", "", text)
    assert REDACTOR.redact(letters) == letters
    assert isinstance(REDACTOR.redact(text), str)


@pytest.mark.parametrize(
    "unit",
    [
        *("a", "0", "0 ", "01 ", "+1 ", "a@", "a.", "a@a.", "password=", "pwd is ", "DE12A ", "sk-", "eyJ."),
        *("http://a:", "-----BEGIN PRIVATE KEY-----\n", "call 12345678 ", '"', "415-555-", "0172 1234\n"),
        *("(0)", "4111 ", " (at) ", "bearer ", "a_b_", "+49 30 12", "<mailto:", "DE89 "),
    ],
)
def test_time_is_linear_in_the_text(unit: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * (length // len(unit) + 1))[:length]
        begin = time.process_time()
        REDACTOR.redact(text)
        return time.process_time() - begin

    seconds(1_000)
    small, large = (min(seconds(length) for _ in range(3)) for length in (40_000, 160_000))
    # four times the length: four times the time where it is linear, sixteen where it is quadratic
    assert large < max(10 * small, 0.2), unit


def test_a_number_is_found_wherever_a_long_text_is_cut() -> None:
    filler = "words and words\n" * (STRETCH_LENGTH // 16)
    text = "\n".join([filler + "call +49 30 123456 now"] * 5)
    assert REDACTOR.redact(text).count("[phone number]") == 5
    key = "-----BEGIN PRIVATE KEY-----\n" + "QUJD\n" * 500 + "-----END PRIVATE KEY-----"
    cut = "x" * (STRETCH_LENGTH - 1000) + "\n" + key + "\nend"
    assert REDACTOR.redact(cut).endswith("\n[key]\nend")


def test_a_key_that_was_cut_off_is_taken_out() -> None:
    assert REDACTOR.redact("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC") == "[key]"


@pytest.mark.parametrize(
    ("name", "value", "redacted"),
    [
        ("password", "hunter2", "[key]"),
        ("userPassword", "Sommer2024!", "[key]"),
        ("api_key", "9f86d081884c7d659a2feaa0c55ad015", "[key]"),
        ("phone", "01721234567", "[phone number]"),
        ("mobileNumber", "4155552671", "[phone number]"),
        ("password", "required", "required"),
        ("order_id", "00123456789", "00123456789"),
        ("total_tokens", "1234567890123456", "1234567890123456"),
    ],
)
def test_the_name_of_a_field_says_what_it_holds(name: str, value: str, redacted: str) -> None:
    assert REDACTOR.redact(value, name) == redacted


def test_own_patterns_are_found_in_linear_time_and_leave_markers_alone() -> None:
    redactor = TextRedactor([OwnPatterns([r"PRJ-\d+", "mail", "(a+)+$"]).redact])
    redacted = redactor.redact("PRJ-42 by mail to max@example.com")
    assert redacted == "[removed] by [removed] to [e-mail address]"
    begin = time.process_time()
    redactor.redact("a" * 50_000 + "!")
    assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    ("value", "harmless", "telling"),
    [
        ("hunter2!", "note", "password"),
        ("5512345678", "amount", "phone"),
        ("aB3dE5gH7jK9mN1pQ3", "hash", "api_key"),
    ],
)
def test_a_text_that_was_clean_is_looked_at_again_under_another_name(
    value: str, harmless: str, telling: str
) -> None:
    redactor = TextRedactor()
    for _ in range(2):
        assert redactor.redact(value, harmless) == value
        assert value not in redactor.redact(value, telling)


def test_clean_texts_are_remembered_for_a_while() -> None:
    clean = CleanTexts()
    clean.add(digest_of("first", ""))
    for number in range(MAX_RECENT_HASHES):
        clean.add(digest_of(str(number), ""))
    assert digest_of("first", "") in clean
    assert digest_of("first", "note") not in clean
    for number in range(2 * MAX_RECENT_HASHES):
        clean.add(digest_of(str(number), "again"))
    assert digest_of("first", "") not in clean


def test_names_need_an_extra_which_the_error_names() -> None:
    with pytest.raises(SettingsError, match=r"memalign\[names\]"):
        PersonNames("en_core_web_sm")


def test_names_of_people_are_taken_out_by_a_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    def recognise(text: str) -> SimpleNamespace:
        matches = re.finditer("Ana Ruiz|Berlin", text)
        return SimpleNamespace(
            ents=[
                SimpleNamespace(
                    label_="PER" if match[0] == "Ana Ruiz" else "LOC",
                    start_char=match.start(),
                    end_char=match.end(),
                )
                for match in matches
            ]
        )

    spacy = SimpleNamespace(load=lambda _, exclude: recognise if exclude else None)
    monkeypatch.setitem(sys.modules, "spacy", spacy)
    redactor = TextRedactor([PersonNames("xx").redact])
    assert redactor.redact("Ana Ruiz of Berlin, ana@example.com") == "[name] of Berlin, [e-mail address]"
