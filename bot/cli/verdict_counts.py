"""The last line of `memalign judge`: verdicts by value, and how many of people's labels they agree with."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.plain_text import pluralise
from bot.visible_text import visible_line
from memalign.records import Json, Trace

MAX_VALUES_SHOWN = 6
"""Values that the line counts, the most frequent first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelAgreement:
    """Labels of people on judged traces, and how many of them have the verdict's value."""

    agreed: int
    labels: int

    @property
    def share(self) -> float:
        """The share of labels that the verdicts agree with, 0 to 1; 0 without labels."""
        return self.agreed / self.labels if self.labels else 0.0


def agreement_with(values: Mapping[str, Json], traces: Iterable[Trace]) -> LabelAgreement:
    """Compare verdicts with labels, each label counting once.

    Args:
        values: the verdicts' values, by trace id.
        traces: traces with people's labels; those without a verdict are left out.
    """
    pairs = [
        (values[trace.trace_id], label.value)
        for trace in traces
        if trace.trace_id in values
        for label in trace.assessments
        if label.source_type == "HUMAN"
    ]
    return LabelAgreement(agreed=sum(value == label for value, label in pairs), labels=len(pairs))


def counts_in_words(values: Mapping[str, Json], place: str, agreement: LabelAgreement) -> str:
    """Return the line, such as "23 verdicts in v.jsonl: 14 pass, 9 fail; agrees with 17 of 22 labels"."""
    words = f"{pluralise(len(values), 'verdict')} {place}"
    by_value = Counter(_value_in_words(value) for value in values.values()).most_common()
    shown = [f"{number} {value}" for value, number in by_value[:MAX_VALUES_SHOWN]]
    if rest := sum(number for _, number in by_value[MAX_VALUES_SHOWN:]):
        shown.append(f"{rest} other")
    if shown:
        words += f": {', '.join(shown)}"
    if agreement.labels:
        words += f"; agrees with {agreement.agreed} of {pluralise(agreement.labels, 'label')}"
    return words


def _value_in_words(value: Json) -> str:
    if isinstance(value, bool):
        return "pass" if value else "fail"
    return visible_line(str(value))
