"""Our tables behave as TinyDB's own do: every test runs on TinyDB's memory storage and on ours."""

import sqlite3
from collections.abc import Iterator, MutableMapping
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
from tinydb import TinyDB, where
from tinydb.operations import delete, increment
from tinydb.storages import MemoryStorage
from tinydb.table import Document, Table

from storage.documents import Documents


class StringTable(Table):
    document_id_class = str  # type: ignore[assignment]


class MemoryDocuments(TinyDB):
    table_class = StringTable


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "documents.db", isolation_level=None)) as opened:
        yield opened


@pytest.fixture(params=["memory", "sqlite"])
def tiny(request: pytest.FixtureRequest, connection: sqlite3.Connection) -> TinyDB:
    return MemoryDocuments(storage=MemoryStorage) if request.param == "memory" else Documents(connection)


@pytest.fixture
def ours(connection: sqlite3.Connection) -> Documents:
    return Documents(connection)


def document(doc_id: str, **body: Any) -> Document:
    return Document(body, cast("int", doc_id))


def filled(tiny: TinyDB) -> Table:
    table = tiny.table("people")
    table.insert(document("ana", age=30, tags=["a"]))
    table.insert_multiple([document("bo", age=40, tags=["b"]), document("cy", age=50, tags=["a", "b"])])
    return table


def keys(*doc_ids: str) -> list[int]:
    """Ids, under the type that TinyDB's annotations give them."""
    return cast("list[int]", list(doc_ids))


def ids(documents: list[Document]) -> list[str]:
    return [cast("str", each.doc_id) for each in documents]


def test_a_document_comes_back_by_its_id(tiny: TinyDB) -> None:
    table = filled(tiny)
    assert table.get(doc_id=cast("int", "bo")) == {"age": 40, "tags": ["b"]}
    assert table.get(doc_id=cast("int", "nobody")) is None
    assert ids(table.get(doc_ids=["cy", "ana", "nobody"])) == ["ana", "cy"]
    assert table.contains(doc_id=cast("int", "bo"))
    assert not table.contains(doc_id=cast("int", "nobody"))


def test_queries_find_documents_in_order_of_adding(tiny: TinyDB) -> None:
    table = filled(tiny)
    assert ids(table.search(where("age") > 30)) == ["bo", "cy"]
    assert ids(table.search(where("tags").any(["a"]))) == ["ana", "cy"]
    assert table.count(where("age") < 100) == 3
    assert ids(table.all()) == ["ana", "bo", "cy"]
    assert len(table) == 3
    found = table.get(where("age") == 50)
    assert found is not None
    assert ids([found]) == ["cy"]


def test_an_id_can_be_inserted_once(tiny: TinyDB) -> None:
    table = filled(tiny)
    with pytest.raises(ValueError, match="already exists"):
        table.insert(document("bo", age=1))
    with pytest.raises(ValueError, match="already exists"):
        table.insert_multiple([document("new", age=1), document("bo", age=1)])
    assert ids(table.all()) == ["ana", "bo", "cy"]


def test_updates_change_what_they_match_and_nothing_else(tiny: TinyDB) -> None:
    table = filled(tiny)
    assert table.update({"age": 41}, doc_ids=keys("bo", "nobody")) == keys("bo")
    table.update(increment("age"), where("age") == 50)
    table.update(delete("tags"), doc_ids=keys("ana"))
    table.update_multiple([({"old": True}, where("age") > 50)])
    assert table.all() == [
        {"age": 30},
        {"age": 41, "tags": ["b"]},
        {"age": 51, "tags": ["a", "b"], "old": True},
    ]


def test_upsert_changes_or_adds(tiny: TinyDB) -> None:
    table = filled(tiny)
    table.upsert(document("bo", age=42))
    table.upsert(document("di", age=1))
    assert table.get(doc_id=cast("int", "bo")) == {"age": 42, "tags": ["b"]}
    assert ids(table.all()) == ["ana", "bo", "cy", "di"]


def test_removal_by_id_by_query_and_of_all(tiny: TinyDB) -> None:
    table = filled(tiny)
    assert table.remove(doc_ids=keys("ana", "nobody")) == keys("ana")
    assert table.remove(where("age") == 50) == keys("cy")
    assert ids(table.all()) == ["bo"]
    table.truncate()
    assert table.all() == []
    assert len(table) == 0


def test_an_update_that_stumbles_halfway_changes_nothing(ours: Documents) -> None:
    table = filled(ours)

    def stumble(body: MutableMapping[str, Any]) -> None:
        body["seen"] = True
        if body["age"] == 50:
            raise RuntimeError("stumbled")

    with pytest.raises(RuntimeError):
        table.update(stumble)
    assert not any("seen" in each for each in table)


def test_tables_are_apart_and_can_be_dropped(tiny: TinyDB) -> None:
    filled(tiny)
    tiny.table("things").insert(document("cup", full=True))
    assert tiny.tables() == {"people", "things"}
    tiny.drop_table("people")
    assert tiny.tables() == {"things"}
    assert tiny.table("things").all() == [{"full": True}]
    tiny.drop_tables()
    assert tiny.tables() == set()


def test_an_unwritten_table_is_empty(tiny: TinyDB) -> None:
    assert tiny.table("nothing").all() == []
    assert tiny.table("nothing").get(doc_id=cast("int", "x")) is None
    assert tiny.tables() == set()


@pytest.mark.parametrize("odd", ["", 'a"b', "half \ud800", "nul \x00 in", "日本", "' OR 1=1 --"])
def test_any_text_is_a_good_id_and_a_good_value(tiny: TinyDB, odd: str) -> None:
    table = tiny.table("odd")
    table.insert(document(odd, said=odd))
    assert table.get(doc_id=cast("int", odd)) == {"said": odd}
    assert ids(table.all()) == [odd]


def test_a_found_document_is_nobody_elses(ours: Documents) -> None:
    table = filled(ours)
    table.search(where("age") == 30)[0]["age"] = 99
    assert table.search(where("age") == 30) == [{"age": 30, "tags": ["a"]}]


def test_ids_are_never_made_up(ours: Documents) -> None:
    with pytest.raises(ValueError, match="natural keys"):
        ours.table("people").insert({"age": 1})
    assert ours.table("people").all() == []


def test_a_span_reads_keys_between_two_in_the_order_asked_for(ours: Documents) -> None:
    table = ours.shelf("letters")
    for letter in "cabd":
        table.put(letter, {"is": letter})
    assert [doc_id for doc_id, _ in table.span("b")] == ["b", "c", "d"]
    assert [doc_id for doc_id, _ in table.span("a", "d")] == ["a", "b", "c"]
    assert [doc_id for doc_id, _ in table.span("", limit=2, order="down")] == ["d", "c"]
    assert [doc_id for doc_id, _ in table.span("", order="added")] == ["c", "a", "b", "d"]


def test_putting_again_keeps_the_place_and_removing_loses_it(ours: Documents) -> None:
    table = ours.shelf("letters")
    for letter in "abc":
        table.put(letter, {"round": 1})
    table.put("a", {"round": 2})
    table.discard("b", "nobody")
    table.put("b", {"round": 2})
    assert table.span("", order="added") == [("a", {"round": 2}), ("c", {"round": 1}), ("b", {"round": 2})]


def test_writes_to_several_tables_stand_or_fall_together(ours: Documents) -> None:
    def fail_halfway() -> None:
        with ours.store.transaction():
            ours.shelf("one").put("a", {})
            ours.shelf("two").put("b", {})
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert ours.tables() == set()
    ours.shelf("one").put("a", {"after": True})
    assert ours.shelf("one").find("a") == {"after": True}


def test_a_change_writes_only_what_it_touched(ours: Documents, connection: sqlite3.Connection) -> None:
    table = ours.shelf("many")
    for number in range(100):
        table.put(f"{number:03}", {"n": number})
    before = connection.total_changes
    table.update({"n": -1}, doc_ids=keys("050"))
    table.update(lambda _: None)
    assert connection.total_changes - before == 1


def test_looking_one_up_reads_one_row_by_its_key(ours: Documents, connection: sqlite3.Connection) -> None:
    table = ours.shelf("many")
    table.put("a", {})
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    table.get(doc_id=cast("int", "a"))
    connection.set_trace_callback(None)
    plans = [connection.execute(f"EXPLAIN QUERY PLAN {each}").fetchall()[0][3] for each in asked]
    assert len(plans) == 1
    assert plans[0].startswith("SEARCH")
