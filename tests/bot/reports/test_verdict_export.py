"""Verdict lines of the export: why their trace was picked, and with which chance."""

from bot.reports.export import stored_verdict_line
from memalign.records import Verdict
from storage.records import CardSelection, StoredVerdict


def test_a_verdict_line_has_the_chance_and_the_reason_of_its_card() -> None:
    verdict = Verdict(judge="politeness", trace_id="tr-1", value=False, rationale="curt")
    selection = CardSelection(probability=0.04, reason="disagreement", features=(1.0, 0.0))
    stored = StoredVerdict(verdict_id="v-1", verdict=verdict, judged_ms=0, channel="C1", selection=selection)
    assert stored_verdict_line(stored)["selection"] == {"probability": 0.04, "reason": "disagreement"}


def test_a_verdict_without_a_card_was_not_chosen_for_one() -> None:
    verdict = Verdict(judge="politeness", trace_id="tr-1", value=False, rationale="curt")
    stored = StoredVerdict(verdict_id="v-1", verdict=verdict, judged_ms=0, channel="C1", has_card=False)
    assert stored_verdict_line(stored)["selection"] is None
