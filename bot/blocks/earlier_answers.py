"""The line of a card that tells what people said before it showed the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.blocks.mrkdwn import escape_name, join_names
from bot.plain_text import format_label_plain, pluralise
from memalign.records import Label

MAX_VALUES_SHOWN = 3
"""Values that are told with their people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierAnswers:
    """The answers that people gave before a card showed its verdict."""

    answers: Sequence[tuple[str, Label]]
    """Each person's name with their value."""
    shows_votes: bool
    """False to tell only how many answered."""

    @property
    def line(self) -> str:
        """The answers in one line, escaped."""
        if not self.answers:
            return "Asked before showing"
        if not self.shows_votes:
            return f"Asked before showing: {pluralise(len(self.answers), 'person', 'people')} answered"
        values = list(dict.fromkeys(value for _, value in self.answers))
        told = [
            f"{join_names([name for name, each in self.answers if each == value])} said {_word(value)}"
            for value in values[:MAX_VALUES_SHOWN]
        ]
        if (more := len(values) - MAX_VALUES_SHOWN) > 0:
            told.append(f"and {pluralise(more, 'other value')}")
        return f"Asked before showing: {', '.join(told)}"


def _word(value: Label) -> str:
    return escape_name(format_label_plain(value), 60)
