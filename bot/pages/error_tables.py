"""Tables of a judge's values against people's labels."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.judge_report import LabelCount
from memalign.records import Label
from memalign.value_types import ValueType

MAX_MATRIX_LABELS = 12
"""Labels up to which every pair has a cell of its own; of more numbers only the distance is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMatrix:
    """Verdicts by the judge's value and people's label."""

    labels: Sequence[Label]
    """In the order of rows and columns."""
    rows: Sequence[Sequence[int]]
    """For each value of the judge, the verdicts by people's label; last those where nobody named the right one."""
    has_unnamed: bool
    """True if there are any in the last column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """The judge's numbers beside people's."""

    low: int
    """Verdicts whose number is below people's."""
    equal: int
    high: int
    unnamed: int
    """Verdicts that people only call wrong."""


def label_matrix(value_type: ValueType, counts: Sequence[LabelCount]) -> LabelMatrix | None:
    """Return the verdicts by pairs of labels; None of free texts, and where there are too many labels."""
    labels = _labels(value_type, counts)
    if value_type.kind == "str" or len(labels) > MAX_MATRIX_LABELS:
        return None
    return LabelMatrix(
        labels=labels,
        rows=[
            [*(_cell(counts, value, each) for each in labels), _unnamed(counts, value)] for value in labels
        ],
        has_unnamed=any(each.people is None for each in counts),
    )


def differences(counts: Sequence[LabelCount]) -> Differences:
    """Return how a judge's numbers lie beside people's."""
    low = equal = high = unnamed = 0
    for each in counts:
        if each.people is None:
            unnamed += each.verdicts
        elif each.value == each.people:
            equal += each.verdicts
        elif float(each.value) < float(each.people):
            low += each.verdicts
        else:
            high += each.verdicts
    return Differences(low=low, equal=equal, high=high, unnamed=unnamed)


def _labels(value_type: ValueType, counts: Sequence[LabelCount]) -> list[Label]:
    """Return the labels that may be given, or were: numbers and other words than the declared ones last."""
    declared: tuple[Label, ...] = (True, False) if value_type.kind == "bool" else value_type.categories
    given = {label for each in counts for label in (each.value, each.people) if label is not None}
    others = given - set(declared)
    return [*declared, *sorted(others, key=lambda label: (isinstance(label, str), label))]


def _cell(counts: Sequence[LabelCount], value: Label, people: Label) -> int:
    return sum(each.verdicts for each in counts if each.value == value and each.people == people)


def _unnamed(counts: Sequence[LabelCount], value: Label) -> int:
    return sum(each.verdicts for each in counts if each.value == value and each.people is None)
