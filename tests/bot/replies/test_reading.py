"""Every reply is read as a value, a reason, a question, thanks or a command: kinds x phrasings."""

import pytest

from bot.replies.reading import read_reply
from memalign.records import Label
from memalign.value_types import value_type_of
from tests.bot.replies.reply_samples import NO_VALUE, SAMPLES, Kind

ROWS = [(form, bounds, text, right) for form, bounds, rows in SAMPLES for text, right in rows.items()]


@pytest.mark.parametrize(("form", "bounds", "text", "right"), ROWS)
def test_a_reply_is_read_as_what_it_says(
    form: object, bounds: tuple[float, float] | None, text: str, right: Label | Kind
) -> None:
    reading = read_reply(text, value_type_of(form, bounds))
    if not isinstance(right, Kind):
        assert (reading.kind, reading.value) == ("value", right)
        assert type(reading.value) is type(right)
        return
    assert reading.value is None
    assert reading.kind in ("reason", "unclear value") if right == NO_VALUE else reading.kind == right


def test_there_are_enough_phrasings() -> None:
    assert len(ROWS) >= 150
