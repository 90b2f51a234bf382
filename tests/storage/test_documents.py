"""Our tables behave as TinyDB's own do: every test runs on TinyDB's memory storage and on ours."""

import sqlite3
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
from tinydb import TinyDB, where
from tinydb.operations import delete, increment
from tinydb.storages import MemoryStorage
from tinydb.table import Document as TinyDocument
from tinydb.table import Table

from storage.documents import Document, Documents, DocumentTable
from storage.engines import Engine
from storage.engines.sqlite import SqliteEngine
from tests.storage.engines import Opener


class StringTable(Table):
    document_id_class = str  # type: ignore[assignment]


class MemoryDocuments(TinyDB):
    table_class = StringTable


@pytest.fixture
def engine(open_another: Opener) -> Iterator[Engine]:
    with closing(open_another()) as opened:
        yield opened


@pytest.fixture
def ours(engine: Engine) -> Documents:
    return Documents(engine)


@pytest.fixture(params=["memory", "engine"])
def tiny(request: pytest.FixtureRequest, ours: Documents) -> TinyDB:
    return MemoryDocuments(storage=MemoryStorage) if request.param == "memory" else ours


def document(doc_id: str, **body: Any) -> Document:
    return Document(body, doc_id)


def lettered(ours: Documents, letters: str) -> DocumentTable:
    table = ours.declare("letters")
    for letter in letters:
        table.upsert(document(letter, **{"is": letter}))
    return table


def filled(tiny: TinyDB) -> Table:
    table = tiny.table("people")
    table.insert(document("ana", age=30, tags=["a"]))
    table.insert_multiple([document("bo", age=40, tags=["b"]), document("cy", age=50, tags=["a", "b"])])
    return table


def keys(*doc_ids: str) -> list[int]:
    """Ids, under the type that TinyDB's annotations give them."""
    return cast("list[int]", list(doc_ids))


def ids(documents: Sequence[TinyDocument]) -> list[str]:
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
    match = table.get(where("age") == 50)
    assert match is not None
    assert ids([match]) == ["cy"]


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


def test_a_range_reads_keys_between_two_in_the_order_asked_for(ours: Documents) -> None:
    table = lettered(ours, "cabd")
    assert ids([*table.range("b")]) == ["b", "c", "d"]
    assert ids([*table.range("a", "d")]) == ["a", "b", "c"]
    assert ids([*table.range(limit=2, order="down")]) == ["d", "c"]
    assert ids([*table.range(order="added")]) == ["c", "a", "b", "d"]
    assert ids([*table.range(limit=1, order="newest")]) == ["d"]
    assert ours.declare("unwritten").range() == []


def test_an_upsert_keeps_the_place_and_a_removal_loses_it(ours: Documents) -> None:
    table = lettered(ours, "abc")
    table.upsert(document("a", round=2))
    table.remove(doc_ids=["b", "nobody"])
    table.upsert(document("b", round=2))
    assert ids([*table.range(order="added")]) == ["a", "c", "b"]


def test_writes_to_several_tables_stand_or_fall_together(ours: Documents) -> None:
    def fail_halfway() -> None:
        with ours.engine.transaction():
            ours.declare("one").upsert(document("a"))
            ours.declare("two").upsert(document("b"))
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert ours.tables() == set()
    ours.declare("one").upsert(document("a", after=True))
    assert ours.declare("one").get(doc_id="a") == {"after": True}


def test_a_change_writes_only_what_it_touched(ours: Documents, engine: Engine) -> None:
    table = ours.declare("many", {"n": lambda body: [str(body["n"])]})
    for number in range(100):
        table.upsert(document(f"{number:03}", n=number, more=0))
    before = engine.changes
    table.update({"more": 1}, doc_ids=keys("050"))
    table.update(lambda _: None)
    assert engine.changes - before == 1
    table.update({"n": -1}, doc_ids=keys("050"))
    assert engine.changes - before == 4


def test_looking_one_up_reads_one_row_by_its_key(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "documents.db", isolation_level=None)) as connection:
        table = Documents(SqliteEngine(connection)).declare("many", {"tag": lambda body: [body["tag"]]})
        table.upsert(document("a", tag="x"))
        asked: list[str] = []
        connection.set_trace_callback(asked.append)
        table.get(doc_id="a")
        table.range("x", "y", index="tag")
        connection.set_trace_callback(None)
        plans = [connection.execute(f"EXPLAIN QUERY PLAN {each}").fetchall() for each in asked]
    assert len(plans) == 2
    assert all(step[3].startswith("SEARCH") for plan in plans for step in plan)


def people(ours: Documents) -> DocumentTable:
    """A table that lists people by the places they were at, and the grown-ups by age."""
    table = ours.declare(
        "people",
        {
            "place": lambda body: body["places"],
            "age": lambda body: [f"{body['age']:03}"] if body["age"] >= 18 else [],
        },
    )
    table.insert_multiple(
        [
            document("ana", age=30, places=["x", "y"]),
            document("bo", age=7, places=["y", "y"]),
            document("cy", age=20, places=[]),
        ]
    )
    return table


def by(table: DocumentTable, index: str, low: str = "", **bounds: Any) -> list[str]:
    return ids([*table.range(low, index=index, **bounds)])


def test_a_declared_index_lists_documents_by_each_of_their_places(ours: Documents) -> None:
    table = people(ours)
    assert by(table, "place", "x", high="y") == ["ana"]
    assert by(table, "place", "y") == ["ana", "bo"]
    assert by(table, "place", "y", order="down", limit=1) == ["bo"]
    assert by(table, "age") == ["cy", "ana"]


def test_a_declared_index_follows_every_way_of_changing_a_document(ours: Documents) -> None:
    table = people(ours)
    table.upsert(document("bo", age=18))
    assert by(table, "age") == ["bo", "cy", "ana"]
    table.update(increment("age"), where("age") == 20)
    table.update({"places": ["z"]}, doc_ids=keys("ana"))
    assert by(table, "age", "021", high="022") == ["cy"]
    assert by(table, "place") == ["bo", "ana"]
    table.remove(where("age") == 18)
    assert by(table, "place") == ["ana"]
    table.upsert(document("bo", age=40, places=["a"]))
    assert by(table, "place") == ["bo", "ana"]
    table.truncate()
    assert by(table, "place") + by(table, "age") == []
    table.insert(document("ana", age=50, places=["q"]))
    assert by(table, "place") == ["ana"]
    ours.drop_table("people")
    assert ours.engine.indexes("people") == set()


def test_an_index_says_nothing_of_a_change_that_was_undone(ours: Documents) -> None:
    table = people(ours)

    def fail_halfway() -> None:
        with ours.engine.transaction():
            table.remove(doc_ids=["ana"])
            table.upsert(document("bo", places=["w"]))
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert by(table, "place") == ["ana", "ana", "bo"]
    assert len(table) == 3


def test_the_number_of_documents_is_right_when_another_connection_writes(
    ours: Documents, open_another: Opener
) -> None:
    table = lettered(ours, "abc")
    with closing(Documents(open_another())) as theirs_all:
        theirs = theirs_all.declare("letters")
        assert len(table) == len(theirs) == 3
        table.upsert(document("d"))
        with theirs_all.engine.snapshot():
            assert len(theirs) == 4
        theirs.remove(doc_ids=["a", "b"])
        with ours.engine.snapshot():
            assert len(table) == 2


def test_a_table_that_another_connection_makes_is_noticed(ours: Documents, open_another: Opener) -> None:
    assert ours.declare("letters").range() == []
    with closing(Documents(open_another())) as theirs:
        lettered(theirs, "ab")
    with ours.engine.snapshot():
        assert ids(ours.declare("letters").all()) == ["a", "b"]


@pytest.mark.parametrize("number", [1, 63, 64, 65, 700])
def test_a_range_reads_any_number_of_documents_however_they_are_fetched(ours: Documents, number: int) -> None:
    table = ours.declare("many", {"tag": lambda body: [body["tag"], "z"]})
    table.insert_multiple([document(f"{each:03}", tag=f"{each % 3}") for each in range(number)])
    names = [f"{each:03}" for each in range(number)]
    assert ids(table.all()) == ids(table.range()) == names
    assert ids(table.range(order="down")) == ids(table.range(order="newest")) == names[::-1]
    by_tag = sorted(names, key=lambda name: (int(name) % 3, name))
    assert by(table, "tag", high="z") == by_tag
    assert by(table, "tag", high="z", order="down") == by_tag[::-1]
    assert by(table, "tag", high="z", order="added") == by(table, "tag", "z") == names
    assert by(table, "tag", order="newest") == [name for name in names[::-1] for _ in "tz"]
    assert by(table, "tag", limit=70) == [*by_tag, *names][:70]
