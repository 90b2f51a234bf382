"""Values of the buttons on versions, as they come back from Slack."""

import pytest

from bot.blocks.memory_history import version_value
from bot.judge_names import JudgeNames
from bot.listeners.memory_history import read_version
from bot.slack.payload import MalformedPayloadError

NAMES = JudgeNames(known=("tone", "price"), renamed={"polite": "manners", "manners": "tone"})


@pytest.mark.parametrize(
    ("judge", "current"),
    [("tone", "tone"), ("manners", "tone"), ("polite", "tone"), ("price", "price"), ("x", "x")],
)
def test_a_button_from_before_a_renaming_means_the_judge_as_it_is_called_now(
    judge: str, current: str
) -> None:
    assert read_version(version_value(judge, 3), NAMES) == (current, 3)


@pytest.mark.parametrize("value", ["", "{}", '["tone"]', '["tone", "3"]', "null"])
def test_any_other_value_is_refused(value: str) -> None:
    with pytest.raises(MalformedPayloadError):
        read_version(value, NAMES)
