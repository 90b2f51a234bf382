"""Labels that people give to verdicts: a person's own, and that of most of them."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from bot.feedback import Feedback
from bot.reports.weighted_agreement import WeightedCase
from memalign.records import Label
from memalign.value_types import ValueType
from storage.records import StoredVerdict

T = TypeVar("T", bound=Hashable)


class Unnamed(Enum):
    """The label of people who only say that the judge is wrong."""

    UNNAMED = "unnamed"


UNNAMED = Unnamed.UNNAMED

PeopleLabel = Label | Unnamed


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledVerdict:
    """A verdict's value with the label that most people gave to it."""

    value: Label
    people_label: PeopleLabel
    probability: float = 1.0
    """Chance that the judge's trace had of being shown."""

    @property
    def agreed(self) -> bool:
        """True if people gave the judge's value."""
        return self.people_label == self.value

    @property
    def weighted(self) -> WeightedCase:
        """The verdict as it counts for the agreement on all traces."""
        return WeightedCase(agreed=self.agreed, probability=self.probability)


def majority(votes: Sequence[T]) -> T | None:
    """Return the most frequent vote; None without votes or at a tie."""
    ranked = Counter(votes).most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


def person_labels(feedback: Sequence[Feedback], value_type: ValueType) -> list[PeopleLabel]:
    """Return the labels of the people who could tell, in order.

    Those who disagree without naming the right value share one label. So do all who disagree with a free text: two
    texts that mean the same are hardly ever equal.

    Args:
        feedback: people's feedback on one verdict.
        value_type: the judge's.
    """
    able = [entry for entry in feedback if entry.vote in ("up", "down")]
    if value_type.kind == "str":
        return [UNNAMED if entry.value is None or entry.vote == "down" else entry.value for entry in able]
    return [UNNAMED if entry.value is None else entry.value for entry in able]


def is_tied(stored: StoredVerdict, feedback: Sequence[Feedback], value_type: ValueType) -> bool:
    """Return whether people could tell, and no label has most of them; the arguments are those of `label_verdict`."""
    return bool(person_labels(feedback, value_type)) and label_verdict(stored, feedback, value_type) is None


def label_verdict(
    stored: StoredVerdict, feedback: Sequence[Feedback], value_type: ValueType
) -> LabelledVerdict | None:
    """Label a verdict by the majority of people, leaving out those who cannot tell.

    Args:
        stored: the verdict.
        feedback: people's feedback on it.
        value_type: the judge's.

    Returns:
        The labelled verdict; None at a tie, or if nobody could tell.
    """
    label = majority(person_labels(feedback, value_type))
    if label is None:
        return None
    return LabelledVerdict(
        value=stored.verdict.value, people_label=label, probability=stored.selection.probability
    )
