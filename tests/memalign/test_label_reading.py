"""One function reads a value alike, whoever wrote it: kinds x samples."""

from pathlib import Path

import pytest

from bot.replies.reading import read_reply
from memalign import MemAlignOptimizer, load_judge, make_judge
from memalign.errors import InputError, SettingsError
from memalign.records import Json, Label
from memalign.value_types import FeedbackValueType, value_type_of, value_type_of_schema
from tests.factories import a_trace, a_vote
from tests.memalign.label_samples import SAMPLES, Bounds

ROWS = [(form, bounds, value, label) for form, bounds, samples in SAMPLES for value, label in samples]


@pytest.mark.parametrize(("form", "bounds", "value", "label"), ROWS)
def test_a_value_is_read_into_the_judges_own_label_or_not_at_all(
    form: FeedbackValueType, bounds: Bounds, value: Json, label: Label | None
) -> None:
    value_type = value_type_of(form, bounds)
    if label is None:
        with pytest.raises(InputError, match="is not a value of this judge; it expects"):
            value_type.parse(value)
    else:
        read = value_type.parse(value)
        assert read == label
        assert type(read) is type(label)


def test_there_are_enough_samples() -> None:
    assert len(ROWS) >= 120


@pytest.mark.parametrize(
    ("form", "text", "parts"),
    [
        (int, "4：語気が強い", (4, "語気が強い")),
        (int, "4 because it is curt", (4, "because it is curt")),
        (["gut", "schlecht"], "gut：höflich", ("gut", "höflich")),
        (["gut", "schlecht"], "„gut“: ok", ("gut", "")),
        (["gut", "schlecht"], "gut, danke", (None, "")),
        (int, "4, danke", (4, "")),
        (str, "„barsch“：kurz", ("barsch", "kurz")),
    ],
)
def test_a_reply_in_slack_begins_with_a_value(
    form: FeedbackValueType, text: str, parts: tuple[Label | None, str]
) -> None:
    reading = read_reply(text, value_type_of(form))
    assert (reading.value, reading.reason) == parts


@pytest.mark.parametrize(
    "bounds", [(5, 1), (1, 1), (1,), (1, 2, 3), ("1", "5"), (1, float("inf")), (True, 5), "15"]
)
def test_a_range_that_is_none_is_told(bounds: Json) -> None:
    with pytest.raises(SettingsError, match="set the lowest and the highest value"):
        value_type_of(int, bounds)


def test_a_range_needs_a_numeric_judge_and_whole_ends_for_int() -> None:
    with pytest.raises(SettingsError, match="A range is for judges of int or float"):
        value_type_of(bool, (0, 1))
    with pytest.raises(SettingsError, match="whole numbers"):
        value_type_of(int, (1.5, 5))


def test_a_range_bounds_the_schema_and_is_told() -> None:
    value_type = value_type_of(int, (1, 5))
    assert value_type.schema() == {"type": "integer", "minimum": 1, "maximum": 5}
    assert value_type.small_range == (1, 2, 3, 4, 5)
    assert value_type_of(int, (1, 100)).small_range == ()
    with pytest.raises(
        InputError, match=r"“10” is not a value of this judge; it expects a whole number from 1 to 5\."
    ):
        value_type.parse(10)


@pytest.mark.parametrize(
    "value_type",
    [
        value_type_of(bool),
        value_type_of(int, (1, 5)),
        value_type_of(float),
        value_type_of(str),
        value_type_of(["a", "b"]),
    ],
)
def test_a_schema_tells_its_value_type(value_type: FeedbackValueType) -> None:
    assert value_type_of_schema(value_type_of(value_type).schema()) == value_type


async def test_a_range_is_saved_with_the_judge_and_bounds_what_people_say(tmp_path: Path) -> None:
    judge = make_judge(
        "tone", "Rate {{ outputs }}", "local:/cases", feedback_value_type=int, value_range=(1, 5)
    )
    optimizer = MemAlignOptimizer("local:/extract", embedding_model="local:/wordllama")
    votes: dict[str, Label] = {"fine": "4/5", "outside": 10}
    traces = [a_trace(name, a_vote(value, name="tone")) for name, value in votes.items()]

    aligned = await judge.aalign(traces, optimizer)
    aligned.save(tmp_path / "tone.json")

    assert load_judge(tmp_path / "tone.json").value_type == judge.value_type
    assert {name: episode.label for name, episode in aligned.episodes.items()} == {"fine": 4}
    assert "expects a whole number from 1 to 5" in aligned.report.rejected["outside"]
