"""The table of verdicts, by trace, judge (those with cards), card, time of posting and evidence."""

from collections.abc import Iterable, Mapping

from memalign.records import Json
from storage.document_forms import form_of
from storage.documents import Documents, DocumentTable
from storage.keys import event_ms, key, stamp
from storage.records import StoredVerdict


def declare_verdicts(documents: Documents) -> DocumentTable:
    """Return the table; each repository that looks into it declares it alike."""
    return documents.declare(
        "verdicts",
        {
            "trace": _by_trace,
            "judge": _by_judge,
            "card": _by_card,
            "posted": _by_posting,
            "evidence": _by_evidence,
            "outdated_blind": _by_outdated_blind_card,
        },
        form=form_of(StoredVerdict),
    )


def _by_trace(body: Mapping[str, Json]) -> Iterable[str]:
    return [key(body["verdict"]["trace_id"], body["verdict"]["judge"])]


def _by_judge(body: Mapping[str, Json]) -> Iterable[str]:
    if body.get("has_card", True):  # what nobody is shown counts in no figure and no cap
        yield key(body["verdict"]["judge"], stamp(body["judged_ms"]), body["verdict_id"])


def _by_card(body: Mapping[str, Json]) -> Iterable[str]:
    return [] if body["message_ts"] is None else [key(body["channel"], body["message_ts"])]


def _by_posting(body: Mapping[str, Json]) -> Iterable[str]:
    if body["message_ts"] is not None:
        yield key(body["verdict"]["judge"], stamp(event_ms(body["message_ts"])), body["verdict_id"])


def _by_outdated_blind_card(body: Mapping[str, Json]) -> Iterable[str]:
    is_outdated = body.get("is_blind", False) and body["revision"] != body.get("card_revision", 0)
    return [body["verdict_id"]] if is_outdated and body["message_ts"] is not None else []


def _by_evidence(body: Mapping[str, Json]) -> Iterable[str]:
    yield from (key("trace", each) for each in body["verdict"]["retrieved_trace_ids"])
    yield from (key("guideline", each) for each in body["verdict"]["shown_guideline_ids"])
