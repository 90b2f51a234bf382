"""A verdict on another trace does not keep what it quoted of a forgotten one."""

from pathlib import Path

import pytest

from bot.forgetting.quotes import QUOTE_NGRAM_WORDS, REDACTED_RATIONALE, ngrams, redact_quotes, texts_of
from memalign.records import Trace, Verdict
from storage.database import Database
from tests.storage.records import DAY, NOON_MS, trace

SECRET = "An answer should never blame Zoë for her lost parcel"


async def judged(
    db: Database, trace_id: str, rationale: str, shown: tuple[str, ...], by: tuple[str, ...]
) -> str:
    await db.traces.add([(trace(trace_id), [])], NOON_MS, 10)
    new_verdict = Verdict(
        judge="polite",
        trace_id=trace_id,
        value=False,
        rationale=rationale,
        retrieved_trace_ids=shown,
        shown_guideline_ids=by,
    )
    assert await db.verdicts.keep(new_verdict, channel="C1", judged_ms=NOON_MS, day=DAY)
    [stored] = await db.verdicts.of_trace(trace_id)
    return stored.verdict_id


@pytest.mark.parametrize(
    ("rationale", "shown", "by", "stays"),
    [
        (f"The rule says: “{SECRET.upper()}”.", (), ("g-1",), False),
        (f"As in case 1: {SECRET}.", ("tr-1",), (), False),
        ("It said “go away”, which is rude.", ("tr-1",), (), False),
        ("That is rude.", ("tr-1",), (), True),
        ("It should never blame anybody.", ("tr-1",), (), True),
        (f"By chance: {SECRET}.", ("tr-2",), (), True),
    ],
)
async def test_a_rationale_goes_when_it_quotes_what_it_was_shown(
    tmp_path: Path, rationale: str, shown: tuple[str, ...], by: tuple[str, ...], stays: bool
) -> None:
    async with await Database.open(tmp_path) as db:
        verdict_id = await judged(db, "tr-9", rationale, shown, by)
        count = await redact_quotes(db, [SECRET, "Go away.", "rude"], {"tr-1"}, {"g-1"})
        stored = await db.verdicts.get(verdict_id)
        assert stored is not None
        assert (count, stored.verdict.rationale) == ((0, rationale) if stays else (1, REDACTED_RATIONALE))
        assert (stored.verdict.value, stored.verdict.trace_id) == (False, "tr-9")


async def test_a_rationale_on_a_trace_that_stays_is_redacted_though_words_on_it_are_forgotten(
    tmp_path: Path,
) -> None:
    """Forgetting a person: they had a part in both traces, and the judge of one quoted them from the other."""
    async with await Database.open(tmp_path) as db:
        await judged(db, "tr-2", f"As in case 1: {SECRET}.", ("tr-1",), ())
        assert await redact_quotes(db, [SECRET], {"tr-1", "tr-2"}, set()) == 1


def test_ngrams_are_words_in_a_row_and_no_single_word_is_one() -> None:
    assert list(ngrams("One two, THREE", 2)) == [("one", "two"), ("two", "three")]
    assert list(ngrams("One two", QUOTE_NGRAM_WORDS)) == []
    assert list(ngrams("one … two", 1)) == []


def test_all_texts_of_a_trace_are_found() -> None:
    full = Trace(
        trace_id="t", inputs={"a": ["one", {"b": "two"}]}, outputs="three", spans=({"name": "four", "n": 4},)
    )
    assert list(texts_of(full)) == ["one", "two", "three", "four"]
