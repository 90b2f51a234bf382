"""The end of `memalign judge`: verdicts by value, and how far they agree with people's labels."""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from bot.cli.label_file import LabelFile
from bot.cli.verdict_tally import VerdictTally
from bot.digest_words import mean_distance, share_with_interval
from bot.plain_text import pluralise
from bot.records import MIN_VERDICTS_FOR_SHARE
from bot.reports.agreement import wilson_interval
from bot.reports.score_agreement import has_scores, mean_absolute_error
from memalign.errors import InputError
from memalign.judge import Judge
from memalign.records import Json, Label

MAX_VALUES_SHOWN = 6
"""Values that the last line counts, the most frequent first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelAgreement:
    """Labelled traces with a verdict, each of which counts once, and how many of them have the verdict's value."""

    agreed: int
    n: int
    error: float | None = None
    """Mean distance between verdict and label; of numbers only."""

    @property
    def words(self) -> str:
        """The agreement as it is told, from `MIN_VERDICTS_FOR_SHARE` traces on with its share and interval."""
        words = f"agrees with {self.agreed} of {pluralise(self.n, 'label')}"
        if self.n >= MIN_VERDICTS_FOR_SHARE:
            bounds = wilson_interval(self.agreed, self.n)
            words += f" ({share_with_interval(self.agreed / self.n, *bounds)})"
        return words if self.error is None else f"{words}, on average {mean_distance(self.error)} away"

    def require(self, least: float) -> None:
        """Raise `InputError` if the share is below the least one that was asked for."""
        if self.agreed / self.n < least:
            needed = next(number for number in range(self.n + 1) if number / self.n >= least)
            raise InputError(
                f"The verdicts agree with {self.agreed} of {pluralise(self.n, 'label')}; "
                f"--min-agreement {least:g} asks for at least {needed}."
            )


def compare(values: Mapping[str, Json], labels: Mapping[str, Label], judge: Judge) -> LabelAgreement | None:
    """Compare verdicts with the label of most people on each trace.

    Args:
        values: the verdicts' values, by trace id.
        labels: people's labels, by trace id; those without a verdict are left out.
        judge: the judge.

    Returns:
        The agreement; None where no verdict has a label, and of free texts, of which two that mean the same are hardly
        ever equal.
    """
    pairs = [(values[trace_id], label) for trace_id, label in labels.items() if trace_id in values]
    if not pairs or judge.value_type.kind == "str":
        return None
    scores = [(float(value), float(label)) for value, label in pairs] if has_scores(judge.value_type) else []
    return LabelAgreement(
        agreed=sum(value == label for value, label in pairs),
        n=len(pairs),
        error=mean_absolute_error(scores),
    )


def label_problem(
    labels: LabelFile, options: Namespace, trace_ids: AbstractSet[str], judge: Judge
) -> str | None:
    """Return why the verdicts on some traces cannot be compared with labels; None where they can."""
    if judge.value_type.kind == "str":
        return (
            f"{judge.name} gives free texts, which are not comparable with labels, so no agreement is known."
        )
    if labels.labels.keys() & trace_ids:
        return None
    if labels.tied & trace_ids:
        return f"People tie on each labelled trace in {options.traces}, so the agreement is not known."
    if labels.votes:
        return (
            f"No trace in {options.traces} has a label in {options.labels}, so the agreement is not known; compare "
            "the trace_id of both."
        )
    if options.labels:
        return f"{options.labels} has no label for {judge.name}, so the agreement is not known."
    return (
        f"None of the traces in {options.traces} has a label for {judge.name}, so their agreement is not known; "
        "name labels with --labels."
    )


def left_out(labels: LabelFile, trace_ids: AbstractSet[str]) -> Iterator[str]:
    """Yield a sentence for each kind of labelled traces that the agreement leaves out."""
    if tied := len(labels.tied & trace_ids):
        yield f"{pluralise(tied, 'labelled trace')} left out: people tie."
    if unnamed := len(labels.without_value & trace_ids):
        yield f"{pluralise(unnamed, 'trace')} left out: nobody named the right value."
    if missing := len(labels.votes.keys() - trace_ids):
        yield f"{pluralise(missing, 'labelled trace')} left out: not among the traces to be judged."


def counts_in_words(tally: VerdictTally, place: str, agreement: LabelAgreement | None) -> str:
    """Return the last line, such as "23 verdicts in v.jsonl: 14 pass, 9 fail; agrees with 17 of 22 labels"."""
    words = f"{pluralise(tally.judged, 'verdict')} {place}"
    by_value = tally.by_value.most_common()
    shown = [f"{number} {value}" for value, number in by_value[:MAX_VALUES_SHOWN]]
    if rest := sum(number for _, number in by_value[MAX_VALUES_SHOWN:]) + tally.of_further_values:
        shown.append(f"{rest} other")
    if shown:
        words += f": {', '.join(shown)}"
    return words if agreement is None else f"{words}; {agreement.words}"
