import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from memalign import MemAlignOptimizer, load_judge, make_judge
from memalign.align.report import OUTDATED
from memalign.errors import InputError
from memalign.judge_file import dump, read
from memalign.records import GuidelineRecord, Handling, Json
from memalign.serialization import pack_vector, to_document
from tests.factories import POLITENESS, a_trace, a_vote, a_vote_against
from tests.fakes import direction
from tests.memalign.models.test_prompts import HOSTILE
from tests.memalign.test_optimizer import aligned, traces
from tests.model_server import ModelServer, overloaded


def test_a_saved_judge_comes_back_exactly_as_it_was_without_a_call(
    server: ModelServer, tmp_path: Path
) -> None:
    judge = aligned(4).align([a_trace("tr-0", a_vote(False, "reason 1", "ben"), a_vote(True, "no", "cem"))])
    judge.save(tmp_path / "judge.json")
    calls = len(server.calls)

    loaded = load_judge(tmp_path / "judge.json")

    assert loaded.base == judge.base
    assert loaded.optimizer.settings == judge.optimizer.settings
    assert dict(loaded.episodes) == dict(judge.episodes)
    assert list(loaded.episodes) == list(judge.episodes)
    assert loaded.guidelines == judge.guidelines
    assert loaded.instructions == judge.instructions
    assert loaded.pending == judge.pending
    assert len(server.calls) == calls
    verdict = loaded(inputs="question tr-2", outputs="answer tr-2")
    assert verdict.retrieved_trace_ids[0] == "tr-2"
    assert [call.kind for call in server.calls[calls:]] == ["chat"]


def test_a_loaded_judge_goes_on_learning_and_forgetting(server: ModelServer, tmp_path: Path) -> None:
    aligned(3).save(tmp_path / "judge.json")
    loaded = load_judge(str(tmp_path / "judge.json"))
    texts = len(server.texts)

    more = loaded.align([*traces(3), a_trace("tr-9", a_vote(True, "new"))])

    assert more.report.unchanged == ("tr-0", "tr-1", "tr-2")
    assert more.report.learned == ("tr-9",)
    assert server.texts[texts:] == ["question tr-9", "answer tr-9"]
    assert list(more.unalign(["tr-0", "tr-9"]).episodes) == ["tr-1", "tr-2"]


def test_what_is_pending_is_saved_too(server: ModelServer, tmp_path: Path) -> None:
    server.faults.extend([overloaded()] * 5)
    aligned(1).save(tmp_path / "judge.json")

    loaded = load_judge(tmp_path / "judge.json")

    assert list(loaded.pending) == ["tr-0"]
    assert loaded.align(traces(1)).pending == {}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_survives_the_file(server: ModelServer, tmp_path: Path, hostile: str) -> None:
    judge = aligned(1).align([a_trace("tr-x", a_vote(True, hostile), inputs={hostile: hostile})])
    judge.save(tmp_path / "judge.json")

    loaded = load_judge(tmp_path / "judge.json")

    assert dict(loaded.episodes) == dict(judge.episodes)
    assert loaded.guidelines == judge.guidelines
    assert len(server.of("embeddings")) == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not json", "is no JSON"),
        ("[]", "holds no judge"),
        ('{"format": 99}', "saved in format 99"),
        ('{"format": 1, "judge": {}}', "not a whole saved judge"),
    ],
)
def test_a_file_that_is_no_judge_is_told(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "judge.json"
    path.write_text(content)

    with pytest.raises(InputError, match=words):
        load_judge(path)


def test_a_missing_file_and_an_impossible_place_are_told(server: ModelServer, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_judge(tmp_path / "none.json")
    with pytest.raises(InputError, match="cannot be written"):
        aligned(1).save(tmp_path / "no" / "folder.json")
    assert list(tmp_path.iterdir()) == []
    assert server.calls


def test_saving_replaces_the_file_as_a_whole(server: ModelServer, tmp_path: Path) -> None:
    path = tmp_path / "judge.json"
    path.write_text("old")

    aligned(1).save(path)

    assert json.loads(path.read_text())["format"] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["judge.json"]
    assert server.calls


def test_a_loaded_judge_is_saved_as_the_same_bytes(server: ModelServer, tmp_path: Path) -> None:
    aligned(2).save(tmp_path / "judge.json")
    load_judge(tmp_path / "judge.json").save(tmp_path / "again.json")

    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "judge.json").read_bytes()
    assert server.calls


def test_a_file_of_the_version_before_is_read_and_its_cases_are_still_found(tmp_path: Path) -> None:
    before = Path(__file__).with_name("files") / "judge_of_version_0_1.json"

    judge = load_judge(before)
    judge.save(tmp_path / "again.json")

    assert [rule.text for rule in judge.guidelines] == [
        "An answer should greet the customer first.",
        "The answer should say when the order comes.",
    ]
    assert [episode.label for episode in judge.episodes.values()] == [False, True]
    assert set(judge.pending.values()) == {OUTDATED}
    documents = [json.loads(file.read_text()) for file in (before, tmp_path / "again.json")]
    assert documents[0]["guidelines"] == documents[1]["guidelines"]
    for file in (before, tmp_path / "again.json"):
        memory = read(file).state.episodic
        assert memory.outdated == memory.vectors.keys() == memory.episodes.keys()


@pytest.mark.usefixtures("server")
def test_options_are_saved_without_secrets_and_can_be_given_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = make_judge(
        "politeness",
        POLITENESS,
        "openai:/m",
        feedback_value_type=bool,
        model_options={"timeout_seconds": 7, "headers": {"X-Key": "hush-hush", "X-Token": "env:TOKEN"}},
    )
    optimizer = MemAlignOptimizer(
        "openai:/m",
        embedding_model="openai:/e",
        embedding_dim=64,
        model_options={"openai:/e": {"timeout_seconds": 9}},
    )
    monkeypatch.setenv("TOKEN", "t")
    judge.align(traces(1), optimizer).save(tmp_path / "judge.json")

    loaded = load_judge(tmp_path / "judge.json")
    again = load_judge(tmp_path / "judge.json", model_options={"openai:/m": judge.model_options})

    assert "hush-hush" not in (tmp_path / "judge.json").read_text(encoding="utf-8")
    assert "Headers of openai:/m are not saved (X-Key)" in caplog.text
    assert (loaded.base.model_options.timeout_seconds, loaded.base.model_options.headers) == (
        7,
        {"X-Token": "env:TOKEN"},
    )
    assert loaded.optimizer.settings == optimizer.settings
    assert again.base == judge


@pytest.mark.usefixtures("server")
def test_decisions_on_guidelines_are_saved_and_a_retired_one_stays_out_of_the_instructions(
    tmp_path: Path,
) -> None:
    path = tmp_path / "judge.json"
    judge = aligned(2)
    judge.save(path)
    document = json.loads(path.read_text())
    retired, edited = judge.guidelines
    zoe = Handling(person="zoe", time_ms=1)
    decided = [
        replace(retired, retired_by=zoe, previous=retired.form),
        replace(
            edited, text="Edited words.", edited_by=zoe, pinned_by=zoe, added_by=replace(zoe, text="Hers.")
        ),
    ]
    document["guidelines"] = [to_document(rule) | {"vector": None} for rule in decided]
    path.write_text(json.dumps(document))

    loaded = load_judge(path)

    assert list(loaded.guidelines) == decided
    assert "Edited words." in loaded.instructions
    assert retired.text not in loaded.instructions
    again = loaded.align([a_trace("tr-9", a_vote(False, retired.text, "ben"))])
    assert retired.text not in again.instructions
    again.save(path)
    assert [rule.state for rule in load_judge(path).guidelines if rule.id == retired.id] == ["retired"]


@pytest.mark.usefixtures("server")
def test_a_guideline_in_doubt_is_in_doubt_with_its_votes_when_its_judge_is_loaded(tmp_path: Path) -> None:
    judge = aligned(1)
    (rule,) = judge.guidelines
    doubted = judge.align([a_vote_against(f"case-{number}", rule.id) for number in range(5)])
    assert [each.id for each in doubted.report.doubted] == [rule.id]
    doubted.save(tmp_path / "judge.json")

    loaded = load_judge(tmp_path / "judge.json")

    (again,) = loaded.guidelines
    assert (again.state, again.record) == ("pending", GuidelineRecord(down=5))
    assert rule.text not in loaded.instructions
    assert loaded.unalign(["case-0"]).guidelines[0].state == "used"


def test_the_version_grows_with_each_change_also_over_saving(tmp_path: Path) -> None:
    base = make_judge("politeness", POLITENESS, model="local:/cases", feedback_value_type=bool)
    optimizer = MemAlignOptimizer(reflection_lm="local:/extract", embedding_model="local:/wordllama")
    first = base.align([a_trace("tr-1", a_vote(False, "Curt answers are rude."))], optimizer)
    same = first.align([a_trace("tr-1", a_vote(False, "Curt answers are rude."))])
    second = first.align([a_trace("tr-2", a_vote(True))])
    second.save(tmp_path / "judge.json")
    loaded = load_judge(tmp_path / "judge.json")
    third = loaded.unalign(["tr-1"])
    assert [each.version for each in (base, first, same, second, loaded, third)] == [0, 1, 1, 2, 2, 3]
    assert loaded.unalign(["unknown"]).version == 2

    document = json.loads((tmp_path / "judge.json").read_text())
    del document["version"]
    (tmp_path / "earlier.json").write_text(json.dumps(document))
    assert load_judge(tmp_path / "earlier.json").version == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda saved: saved.update(version="7"), "version is '7'"),
        (lambda saved: saved.update(version=None), "version is None"),
        (lambda saved: saved.update(version=-1), "version is -1"),
        (
            lambda saved: saved["episodes"][0].update(row=pack_vector(direction("hello", 6))),
            "differ in length",
        ),
    ],
)
@pytest.mark.usefixtures("server")
def test_a_file_with_a_version_or_a_vector_that_is_none_is_told(
    tmp_path: Path, change: Callable[[dict[str, Json]], None], words: str
) -> None:
    aligned(2).save(tmp_path / "judge.json")
    saved = json.loads((tmp_path / "judge.json").read_text())
    change(saved)
    (tmp_path / "judge.json").write_text(json.dumps(saved))

    with pytest.raises(InputError, match=f"not a whole saved judge .*{words}"):
        load_judge(tmp_path / "judge.json")


@pytest.mark.usefixtures("server")
def test_a_file_is_the_document_as_one_line_of_json(tmp_path: Path) -> None:
    for name, judge in (("some.json", aligned(3)), ("one.json", aligned(1))):
        judge.save(tmp_path / name)
        document = dump(read(tmp_path / name))
        assert (tmp_path / name).read_text(encoding="utf-8") == json.dumps(document, default=str) + "\n"
