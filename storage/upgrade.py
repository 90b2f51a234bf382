"""Carrying a store of an earlier version over, in one transaction: forward only, and whole or not at all."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from memalign.records import Json
from storage.document_forms import DAMAGE
from storage.documents import Documents
from storage.engines import SCHEMA_VERSION, Engine
from storage.keys import key
from storage.table_rows import Body, pack, unpack

_INDEX_TABLES_OF_1 = (
    *("arrivals", "cards", "verdicts_by_trace", "verdicts_by_judge", "facts_by_person", "voted_days"),
    *("owners_by_vector", "outbox_posting", "outbox_by_verdict", "digests_by_post", "judges"),
    *("jobs_ready", "jobs_later", "outbox_ready", "outbox_later", "unlearned_ready", "unlearned_later"),
    *("counters", "queue_lengths"),
)
_NAMES_SINCE_2 = {
    "facts": "feedback",
    "told": "thread_posts",
    "unlearned": "pending_feedback",
    "parked": "early_events",
    "shown": "card_counts",
    "outbox_holds": "channel_holds",
    "intents": "forget_requests",
    "covers": "redactions",
    "vectors_by_owner": "vector_owners",
    "undistilled": "memories",
    "debts": "maintenance",
}


VERSION_WITH_USES = 3
"""The first one that counts the verdicts that used each guideline."""
VERSION_WITH_CITATIONS = 4
"""The first one that tells the guidelines that led the judge from those it was shown."""


def upgrade(documents: Documents) -> None:
    """Give the store the form of this version, if it has an earlier one. Its tables are declared already."""
    engine = documents.engine
    if engine.version == SCHEMA_VERSION:
        return
    with engine.transaction():
        if engine.version == 1:
            _to_2(engine)
        if engine.version < VERSION_WITH_USES:
            _to_3(engine)
        if engine.version < VERSION_WITH_CITATIONS:
            _to_4(engine)
        # those of verdicts by the time of their card, and of answered blind cards, came with 5 and 6
        documents.build_indexes()
        engine.set_version(SCHEMA_VERSION)


def _to_2(engine: Engine) -> None:
    """Drop the tables that were indexes, counters or dead, and say in each document what its indexes need."""
    _take_in_order(engine, "jobs")
    for name in _INDEX_TABLES_OF_1:
        engine.drop_table(name)
    for old, new in _NAMES_SINCE_2.items():
        if engine.has_table(old):
            engine.rename_table(old, new)
    _rewrite(engine, "jobs", _without_order)
    _rewrite(engine, "pending_feedback", _without_order)
    _rewrite(engine, "outbox", _post)
    _rewrite(engine, "digests", lambda *_: {})
    _rewrite(engine, "audit", _audit_line)
    _rewrite(engine, "forget_requests", _request)
    _rewrite(engine, "memories", _memory)
    _rewrite(engine, "feedback", lambda body, doc_id: _feedback(engine, body, doc_id))
    if engine.has_table("maintenance") and engine.count("maintenance"):
        engine.clear("maintenance")
        engine.insert("maintenance", "vacuum", pack({}))


def _rewrite(engine: Engine, table: str, change: Callable[[Body, str], Mapping[str, Json]]) -> None:
    if engine.has_table(table):
        for doc_id, position, raw in list(engine.items(table)):
            # a damaged document stays as it is, and is set aside by whoever reads it
            with suppress(*DAMAGE):
                engine.replace(table, position, pack(change(unpack(raw), doc_id)))


def _to_3(engine: Engine) -> None:
    """Count the verdicts that used each guideline."""
    uses: dict[str, Body] = {}
    for _, _, raw in engine.items("verdicts") if engine.has_table("verdicts") else ():
        # a damaged verdict is not counted
        with suppress(*DAMAGE):
            stored = unpack(raw)
            for guideline_id in stored["verdict"]["guideline_ids"]:
                use = uses.setdefault(
                    key(stored["verdict"]["judge"], guideline_id), {"verdicts": 0, "last_ms": 0}
                )
                use["verdicts"] += 1
                use["last_ms"] = max(use["last_ms"], int(stored["judged_ms"]))
    if uses:
        engine.create_table("guideline_uses", ())
    for place, use in uses.items():
        engine.insert("guideline_uses", place, pack(use))


def _to_4(engine: Engine) -> None:
    """Call the guidelines of verdicts those that were shown: which of them led the judge, it was not asked."""
    _rewrite(engine, "verdicts", _verdict)


def _verdict(body: Body, _: str) -> Mapping[str, Json]:
    verdict = body["verdict"]
    shown = {"shown_guideline_ids": verdict["guideline_ids"], "guideline_ids": []}
    return {**body, "verdict": {**verdict, **shown}}


def _take_in_order(engine: Engine, table: str) -> None:
    """Let the order of adding be the order in which work is taken."""
    if engine.has_table(table):
        rows = sorted(engine.items(table), key=lambda row: _order_of(row[2]))
        engine.clear(table)
        for doc_id, _, raw in rows:
            engine.insert(table, doc_id, raw)


def _order_of(raw: bytes) -> str:
    try:
        return str(unpack(raw)["order"])
    except DAMAGE:
        return ""


def _without_order(body: Body, _: str = "") -> Mapping[str, Json]:
    return {name: value for name, value in body.items() if name != "order"}


def _post(body: Body, _: str) -> Mapping[str, Json]:
    kept = {name: value for name, value in body.items() if name not in ("order", "kind", "payload")}
    payload = body["payload"]
    if body["kind"] == "note":
        payload = {name: value for name, value in payload.items() if name != "guideline_ids"}
    return {**kept, "content": None if body["kind"] == "void" else {"kind": body["kind"], **payload}}


def _request(body: Body, _: str) -> Mapping[str, Json]:
    return {**body, "notes": [_audit_line(note) for note in body["notes"]]}


def _memory(body: Body, _: str) -> Mapping[str, Json]:
    return {"version": 1, "undistilled": body["trace_ids"]}


def _audit_line(body: Body, _: str = "") -> Mapping[str, Json]:
    return {("person" if name == "who" else name): value for name, value in body.items()}


def _feedback(engine: Engine, body: Body, doc_id: str) -> Mapping[str, Json]:
    verdict_id = doc_id.partition("\x00")[0]
    row = engine.read("verdicts", verdict_id)
    judge = "" if row is None else str(unpack(row[1])["verdict"]["judge"])
    return {"verdict_id": verdict_id, "judge": judge, "person": body["person"], "feedback": body["facts"]}
