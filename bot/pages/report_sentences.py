"""A judge's report in short, and the words for its figures."""

from collections import Counter
from collections.abc import Mapping, Sequence

from bot.digest_words import (
    headline_share,
    memory_sentences,
    points_words,
    share_with_interval,
    weighting_reason,
)
from bot.judge_report import JudgeReport, LabelCount
from bot.pages.error_tables import Differences, differences
from bot.plain_text import format_label_plain, long_date, pluralise
from bot.records import MIN_VERDICTS_FOR_SHARE, Digest
from bot.visible_text import visible_line
from memalign.records import Label

MAX_LABEL_LENGTH = 120
MIN_SHARE_OF_MOST = 0.6
"""Share of the errors from which on they are mostly of one kind. Set by hand."""


def anchoring_sentences(figures: Digest) -> list[str]:
    """Return how far the verdict in sight draws people towards it; none where there are too few blind answers."""
    blind = figures.blind
    if blind is None or min(blind.n, blind.anchored_n) < MIN_VERDICTS_FOR_SHARE:
        return []
    share = share_with_interval(blind.agreement, blind.low, blind.high)
    unanchored = f"Agreement of people who had not seen the verdict: {share}."
    if blind.effect is None or blind.effect_low is None or blind.effect_high is None:
        return [unanchored]
    effect, low, high = map(points_words, (blind.effect, blind.effect_low, blind.effect_high))
    chance = ", which may be chance" if blind.effect_low <= 0 <= blind.effect_high else ""
    return [
        unanchored,
        f"With the verdict in sight it is {effect} points, likely between {low} and {high}{chance}.",
    ]


def agreement_sentences(report: JudgeReport) -> list[str]:
    """Return how far people agree with the judge, over its life and lately."""
    life, recent = report.life, report.recent
    if not life.n:
        return ["People have no majority on any verdict yet, so nothing is known of their agreement with it."]
    first = long_date(report.first_verdict or report.made_at)
    since = f"Since {first} people agreed with {life.agreed:,} of {pluralise(life.n, 'verdict')}"
    return [*_with_share(since, life), *_lately(recent, life)]


def _lately(recent: Digest, life: Digest) -> list[str]:
    if not recent.n:
        return [
            f"In the last four weeks {'no verdict had a majority' if recent.people else 'nobody answered'}."
        ]
    if recent.n == life.n:
        return ["All of that is of the last four weeks."]
    return [f"In the last four weeks it was {recent.agreed:,} of {recent.n:,}{_share_clause(recent)}."]


def _with_share(counts: str, figures: Digest) -> list[str]:
    """Return counts, and the share that they stand for where there are enough; the reason where that is another."""
    if weighting_reason(figures):
        share = headline_share(figures)
        return [f"{counts}.", f"Weighted by each card's chance of being picked, that is {share}."]
    return [f"{counts}{_share_clause(figures)}."]


def _share_clause(figures: Digest) -> str:
    share = headline_share(figures)
    if not share:
        return ": too few for a percentage"
    return f", weighted {share}" if weighting_reason(figures) else f": {share}"


def learning_in_short(report: JudgeReport) -> list[str]:
    """Return whether the judge learned; empty while nobody has answered."""
    if not report.life.n:
        return []
    if report.life.against_base is None:
        return [
            "The data cannot tell whether it learned: no verdict was compared with one given without its memory."
        ]
    sentences = memory_sentences("What it learned", report.life.against_base)[:1]
    return sentences or [
        "The data cannot tell whether it learned: few verdicts were compared with one given without its memory."
    ]


def error_sentence(report: JudgeReport) -> str:
    """Return what the judge gets wrong mostly; empty while nothing is known."""
    life = report.life
    errors = life.n - life.agreed
    if not life.n:
        return ""
    if not errors:
        return "People overruled none of them."
    if life.table is not None:
        return _strict_or_lenient(life.table, errors)
    if not life.is_comparable:
        return f"People called {errors:,} of {pluralise(life.n, 'text')} wrong."
    if life.has_scores:
        return _low_or_high(differences(report.labels), errors)
    return _most_frequent_error(report.labels, errors)


def _strict_or_lenient(table: Mapping[str, int], errors: int) -> str:
    strict, lenient = table["judge_fail_people_pass"], table["judge_pass_people_fail"]
    if lenient >= MIN_SHARE_OF_MOST * errors:
        return f"Where they differ, the judge is mostly too lenient: it passed {lenient:,} of {errors:,}."
    if strict >= MIN_SHARE_OF_MOST * errors:
        return f"Where they differ, the judge is mostly too strict: it failed {strict:,} of {errors:,}."
    return f"Where they differ, the judge is too strict {_times(strict)} and too lenient {_times(lenient)}."


def _low_or_high(distance: Differences, errors: int) -> str:
    if distance.high >= MIN_SHARE_OF_MOST * errors:
        return f"Where they differ, its number is mostly too high: {distance.high:,} of {_times(errors)}."
    if distance.low >= MIN_SHARE_OF_MOST * errors:
        return f"Where they differ, its number is mostly too low: {distance.low:,} of {_times(errors)}."
    return f"Where they differ, its number is too low {_times(distance.low)} and too high {_times(distance.high)}."


def _most_frequent_error(labels: Sequence[LabelCount], errors: int) -> str:
    wrong = [each for each in labels if each.value != each.people]
    named = [each for each in wrong if each.people is not None]
    if not named:
        value, count = _by_value(wrong).most_common(1)[0]
        return f"It is wrong most often where it says “{value}”: {count:,} of {_times(errors)}."
    worst = max(named, key=lambda each: each.verdicts)
    value, right = _quotable(worst.value), _quotable(worst.people)
    total = sum(each.verdicts for each in named)
    return (
        f"Where people name the right value, it most often says “{value}” for “{right}”: "
        f"{worst.verdicts:,} of {_times(total)}."
    )


def _by_value(labels: Sequence[LabelCount]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for each in labels:
        counts[_quotable(each.value)] += each.verdicts
    return counts


def _quotable(label: Label | None) -> str:
    """Return a label as a sentence quotes it, in one line that does not go on for ever."""
    words = "" if label is None else visible_line(format_label_plain(label))
    return words if len(words) <= MAX_LABEL_LENGTH else f"{words[: MAX_LABEL_LENGTH - 1]}…"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"
