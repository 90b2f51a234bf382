"""A judge's report in short, and the words for its figures."""

from collections.abc import Mapping, Sequence

from bot.blocks.mrkdwn import format_label_plain
from bot.digest_words import (
    DIFFERENT_SHARES,
    MAX_GAP_UNTOLD,
    SAME_VALUES,
    headline_share,
    learning_sentences,
    percent,
    weighting_reason,
)
from bot.judge_report import JudgeReport, LabelCount
from bot.pages.error_tables import Differences, differences
from bot.plain_text import pluralise
from bot.records import MIN_VERDICTS_FOR_SHARE, AgreementShare, Digest
from bot.visible_text import visible_line

AGREEMENT_WORDS = (
    (0.0, "none"),
    (0.2, "slight"),
    (0.4, "fair"),
    (0.6, "moderate"),
    (0.8, "substantial"),
)
"""Upper bounds of a coefficient, with the word of J. R. Landis and G. G. Koch, "The measurement of observer agreement
for categorical data", Biometrics 33 (1977); above the last one it is "almost perfect"."""
MIN_SHARE_OF_MOST = 0.6
"""Share of the errors from which on they are mostly of one kind. Set by hand."""


def agreement_word(coefficient: float) -> str:
    """Return how good a coefficient of agreement is commonly held to be."""
    return next((word for bound, word in AGREEMENT_WORDS if coefficient <= bound), "almost perfect")


def share_words(share: AgreementShare) -> str:
    """Return a share with its counts and its interval."""
    interval = f"likely between {percent(share.low)} and {percent(share.high)}"
    return f"{share.agreed} of {share.n} ({percent(share.agreed / share.n)}, {interval})"


def gap_sentence(figures: Digest) -> str:
    """Return why kappa and AC1 differ; empty where they hardly do."""
    if figures.kappa is None or figures.ac1 is None:
        return ""
    if figures.ac1 - figures.kappa > MAX_GAP_UNTOLD:
        return SAME_VALUES
    return DIFFERENT_SHARES if figures.kappa - figures.ac1 > MAX_GAP_UNTOLD else ""


def anchoring_sentences(figures: Digest) -> list[str]:
    """Return how far the verdict in sight draws people towards it; none where there are too few blind answers."""
    blind = figures.blind
    if blind is None or min(blind.n, blind.anchored_n) < MIN_VERDICTS_FOR_SHARE:
        return []
    share = f"{percent(blind.agreement)}, likely between {percent(blind.low)} and {percent(blind.high)}"
    unanchored = f"Agreement of people who had not seen the verdict: {share}."
    if blind.effect is None or blind.effect_low is None or blind.effect_high is None:
        return [unanchored]
    effect, low, high = map(_points, (blind.effect, blind.effect_low, blind.effect_high))
    chance = ", which may be chance" if blind.effect_low <= 0 <= blind.effect_high else ""
    return [
        unanchored,
        f"With the verdict in sight it is {effect} points, likely between {low} and {high}{chance}.",
    ]


def _points(difference: float) -> str:
    """Return a difference of two shares in percentage points, with its sign."""
    return f"{round(difference * 100):+d}".replace("-", "−")


def agreement_sentences(report: JudgeReport) -> list[str]:
    """Return how far people agree with the judge, over its life and lately."""
    life, recent = report.life, report.recent
    if not life.n:
        return ["People have no majority on any verdict yet, so nothing is known of their agreement with it."]
    since = f"Since {_day(report)} people agreed with {life.agreed:,} of {pluralise(life.n, 'verdict')}"
    return [*_with_share(since, life), *_lately(recent, life)]


def _lately(recent: Digest, life: Digest) -> list[str]:
    if not recent.n:
        return ["In the last four weeks no verdict had a majority."]
    if recent.n == life.n:
        return ["All of that is of the last four weeks."]
    return _with_share(f"In the last four weeks it was {recent.agreed:,} of {recent.n:,}", recent)


def _with_share(counts: str, figures: Digest) -> list[str]:
    """Return counts, and the share that they stand for where there are enough."""
    share = headline_share(figures)
    if not share:
        return [f"{counts}: too few for a percentage."]
    if weighting_reason(figures):
        return [f"{counts}.", f"Weighted by each card's chance of being picked, that is {share}."]
    return [f"{counts}: {share}."]


def _day(report: JudgeReport) -> str:
    first = report.first_verdict or report.made_at
    return f"{first.day} {first:%B %Y}"


def learning_in_short(report: JudgeReport) -> list[str]:
    """Return whether the judge learned; empty while nobody has answered."""
    if not report.life.n:
        return []
    if report.life.against_base is None:
        return [
            "The data cannot tell whether it learned: no verdict was compared with one given without its memory."
        ]
    return learning_sentences(report.life)[:1]


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
    worst = max((each for each in labels if each.value != each.people), key=lambda each: each.verdicts)
    value = visible_line(format_label_plain(worst.value))
    if worst.people is None:
        people = "people only say that it is wrong"
    else:
        people = f"people say “{visible_line(format_label_plain(worst.people))}”"
    return f"Its most frequent error, {worst.verdicts:,} of {errors:,}: it says “{value}” where {people}."


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"
