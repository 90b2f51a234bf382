"""Redaction of traces and people's words: structure, fields of the settings, and where it stands."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.blocks.card import verdict_card
from bot.blocks.card_verdict import CardVerdict
from bot.config import RedactionSettings, read_settings
from bot.redaction.redactor import Redactor
from memalign.errors import SettingsError
from memalign.records import Assessment, Json, Trace, Verdict
from storage.records import FeedbackEvent, StoredVerdict
from tests.bot.ingest.trace_server import trace_server
from tests.factories import a_judge
from tests.secrets import search

SECRETS = (
    "ana@example.org",
    "+49 30 1234567",
    "4111 1111 1111 1111",
    "DE02120300000000202051",
    "sk-live-51HxYz9abcDEF",
)
REDACTOR = Redactor(RedactionSettings())


def redacted(inputs: Json, **settings: Json) -> Json:
    return Redactor(RedactionSettings(**settings)).trace(Trace(trace_id="t", inputs=inputs)).inputs


def test_all_texts_of_a_trace_are_redacted_and_its_id_is_not() -> None:
    words = "; ".join(SECRETS)
    trace = Trace(
        trace_id="ana@example.org",
        inputs=words,
        outputs={"list": [words, {words: 1}]},
        expectations={"text": words},
        conversation=[{"role": "user", "content": words}],
        spans=({"name": words, "attributes": {"input.value": json.dumps({"q": words})}},),
        metadata={"user": {"mail": words}},
        url="https://ana:pw@example.org/u/ana@example.org?mail=ana%40example.org&id=7#ana@example.org",
        assessments=(Assessment(name="j", value=True, rationale=words),),
    )
    shown = REDACTOR.trace(trace)
    document = repr(shown).replace("trace_id='ana@example.org'", "")
    assert [secret for secret in SECRETS if secret in document] == []
    assert shown.trace_id == "ana@example.org"
    assert shown.url is not None
    assert shown.url.startswith("https://example.org/u/")
    assert "id=7" in shown.url
    assert REDACTOR.trace(shown) == shown


def test_numbers_and_names_of_fields_are_redacted_too() -> None:
    assert redacted({"card": 4111111111111111, "n": 20240102, "ok": True, "none": None, "pi": 3.14}) == {
        "card": "[card number]",
        "n": 20240102,
        "ok": True,
        "none": None,
        "pi": 3.14,
    }
    assert redacted({"a@example.org": 1, "b@example.org": 2}) == {
        "[e-mail address]": 1,
        "[e-mail address]'": 2,
    }


def test_json_in_a_text_stays_json_with_its_layout() -> None:
    text = '{\n  "price": 1.10, "card": 4111111111111111,\n  "who": ["\\u00fc: a@example.org"], "a@b.example": null}'
    assert redacted(text) == (
        '{\n  "price": 1.10, "card": "[card number]",\n  "who": ["\\u00fc: [e-mail address]"], '
        '"[e-mail address]": null}'
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(SECRETS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4) | st.sampled_from(SECRETS), inner, max_size=3)
        | st.dictionaries(st.text(max_size=4), inner, max_size=2).map(json.dumps)
    ),
    max_leaves=10,
)


def shape(value: Json) -> Json:
    if isinstance(value, str) and value.strip()[:1] in ("{", "["):
        try:
            return shape(json.loads(value))
        except ValueError:
            return ""
    if isinstance(value, dict):
        return sorted(repr(shape(inner)) for inner in value.values())
    return [shape(inner) for inner in value] if isinstance(value, list) else ""


@given(JSON)
@example({"+49 30 1234567": 3_000_000})
def test_any_json_keeps_its_structure_and_is_redacted_once(value: Json) -> None:
    shown = redacted(value)
    assert shape(shown) == shape(value)
    assert redacted(shown) == shown
    text = json.dumps(shown, ensure_ascii=False)
    assert [secret for secret in SECRETS if secret in text] == []


def test_fields_are_kept_or_dropped_by_their_path() -> None:
    inputs = {
        "user": {"email": "ana@example.org", "id": 7},
        "messages": [{"name": "Ana", "text": "a@example.org"}],
        "contact": "b@example.org",
    }
    settings = {
        "keep_fields": ["inputs.contact", "inputs.user.email"],
        "drop_fields": ["inputs.messages.*.name"],
    }
    expected = {
        "user": {"email": "ana@example.org", "id": 7},
        "messages": [{"name": "[removed]", "text": "[e-mail address]"}],
        "contact": "b@example.org",
    }
    assert redacted(inputs, **settings) == expected
    assert redacted(json.dumps(inputs), **settings) == json.dumps(expected)
    assert redacted({"user": inputs}, drop_fields=["inputs.user"]) == {"user": "[removed]"}
    assert redacted(json.dumps({"user": inputs}), drop_fields=["inputs.*"]) == '{"user": "[removed]"}'
    trace = Trace(trace_id="t", inputs="q", spans=({"a": 1},), metadata={"a": 1}, url="https://x.example")
    dropped = Redactor(RedactionSettings(drop_fields=["inputs", "spans", "metadata", "url"])).trace(trace)
    assert dropped == Trace(trace_id="t", inputs="[removed]")


def test_nothing_is_redacted_where_it_is_turned_off() -> None:
    off = Redactor(RedactionSettings(enabled=False, names="missing"))
    trace = Trace(trace_id="t", inputs=SECRETS[0])
    assert off.trace(trace) is trace
    assert off.words(SECRETS[0]) == SECRETS[0]


def test_of_what_people_do_only_words_are_redacted() -> None:
    reply = FeedbackEvent(
        person="U1", kind="reply", name="1.1", value="ask <mailto:a@b.example|a@b.example>", at="1"
    )
    login = FeedbackEvent(
        person="U1", kind="reply", name="1.2", value="R&amp;D: password=a&amp;b9&amp;c &lt;x&gt;", at="1"
    )
    assert REDACTOR.event(login).value == "R&amp;D: password=[key] &lt;x&gt;"
    vote = FeedbackEvent(person="U1", kind="button", value="up", at="1")
    assert REDACTOR.event(reply).value == "ask [e-mail address]"
    assert REDACTOR.event(vote) == vote


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("patterns", ["(a"], "'(a' is no regular expression"),
        ("patterns", [r"(?=a)b"], "no look-around"),
        ("patterns", ["x*"], "matches the empty text"),
        ("drop_fields", ["user.email"], "drop_fields"),
        ("drop_field", [], "unknown key"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_a_sentence(
    key: str, value: Json, sentence: str, tmp_path: Path
) -> None:
    judge = {"name": "p", "channel": "C1", "instructions": "{{ inputs }}", "model": "local:/cases"}
    with pytest.raises(SettingsError) as error:
        read_settings({"judges": [judge], "redaction": {key: value}}, tmp_path / "memalign.toml")
    assert sentence in str(error.value)


def test_a_card_says_that_something_was_taken_out() -> None:
    stored = StoredVerdict(
        verdict_id="v",
        verdict=Verdict(judge="j", trace_id="t", value=True, rationale="fine"),
        judged_ms=0,
        channel="C1",
    )
    plain = Trace(trace_id="t", inputs="q", outputs="a")
    private = REDACTOR.trace(Trace(trace_id="t", inputs="q", outputs="mail a@example.org"))
    shown = CardVerdict(stored=stored, judge=a_judge(), title="Polite")
    assert "personal data removed" not in str(verdict_card([shown], plain).blocks)
    blocks = str(verdict_card([shown], private).blocks)
    assert "personal data removed" in blocks
    assert "mail [e-mail address]" in blocks


@pytest.mark.parametrize("keep_original", [False, True])
async def test_only_redacted_text_is_stored_unless_the_original_is_kept(
    keep_original: bool, tmp_path: Path
) -> None:
    trace = {"trace_id": "t", "inputs": "; ".join(SECRETS), "outputs": "a"}
    async with trace_server(tmp_path, redaction={"keep_original": keep_original}) as server:
        await server.post(json.dumps(trace).encode())
        stored = await server.database.traces.get("t")
        original = await server.database.traces.original("t")
    assert stored is not None
    assert [secret for secret in SECRETS if secret in str(stored.inputs)] == []
    assert (original is not None and original.inputs == trace["inputs"]) is keep_original
    assert bool(search(tmp_path, SECRETS).found) is keep_original
