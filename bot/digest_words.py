"""A week's figures in words that Slack and the terminal have in common; plain text, without the markup of either."""

from math import isclose

from bot.plain_text import capitalised, pluralise
from bot.records import (
    MIN_VERDICTS_FOR_SHARE,
    AgreementShare,
    BlindAgreement,
    Digest,
    MemoryComparison,
    ShadowComparison,
)

MAX_GAP_UNTOLD = 0.3
"""Distance of kappa and AC1 beyond which a sentence says why they differ. Set by hand: half of a usual kappa."""
MAX_P_OF_REAL_DIFFERENCE = 0.05
"""Chance of a difference, between memories that are as good, from which on it is called possible chance."""

SAME_VALUES = (
    "Most verdicts have the same value, so some agreement is luck; the first figure takes off more for that than the "
    "second."
)
DIFFERENT_SHARES = (
    "Judge and people use the values in very different shares; then the second takes off more for luck."
)

WEIGHTED = "Cards are picked to teach, so I weigh each by its chance of being picked."
UNWEIGHTED = "The figures that follow are of the answered cards alone."


def percent(share: float) -> str:
    """Return a share in percent; 0% and 100% are said of none and of all only."""
    return f"{shown_percent(share)}%"


def shown_percent(share: float) -> int:
    """Return the number that `percent` shows."""
    rounded = round(share * 100)
    if rounded == 100 and share < 1:
        return 99
    return 1 if rounded == 0 and share > 0 else rounded


def coefficient(value: float) -> str:
    """Return a coefficient of agreement with two decimals; 1.00 is said of full agreement only."""
    shown = min(round(value, 2), 0.99) if value < 1 else value
    return f"{shown + 0.0:.2f}"  # no -0.00


def strength(value: float) -> str:
    """Return a word for a coefficient of agreement as it is shown.

    J. R. Landis and G. G. Koch, "The measurement of observer agreement for categorical data", Biometrics 33 (1977).
    """
    shown = float(coefficient(value))
    words = {0.8: "almost perfect", 0.6: "substantial", 0.4: "moderate", 0.2: "fair", -0.005: "slight"}
    return next((word for bound, word in words.items() if shown > bound), "poor")


def _rated(value: float) -> str:
    return f"{coefficient(value)} ({strength(value)})"


def share_note(week: Digest) -> str:
    """Return the share that the counts make, with its interval, in brackets.

    It is empty below `MIN_VERDICTS_FOR_SHARE` verdicts, and where cards had different chances of being picked: then
    the `headline_share` is another.
    """
    return "" if weighting_reason(week) or not (share := headline_share(week)) else f" ({share})"


def headline_share(week: Digest) -> str:
    """Return the agreement on all traces with its interval, such as "78%, likely between 62% and 88%".

    Where cards had different chances of being picked, each is weighed by its chance. Empty below
    `MIN_VERDICTS_FOR_SHARE` verdicts.
    """
    bounds = headline_bounds(week)
    return "" if bounds is None else share_with_interval(*bounds)


def headline_bounds(week: Digest) -> tuple[float, float, float] | None:
    """Return the `headline_share` as numbers: the share, and both ends of its interval."""
    weighted = (week.weighted_agreement, week.weighted_low, week.weighted_high)
    plain = (week.agreement, week.wilson_low, week.wilson_high)
    share, low, high = plain if None in weighted else weighted
    if week.n < MIN_VERDICTS_FOR_SHARE or share is None or low is None or high is None:
        return None
    return share, low, high


def is_weighted(week: Digest) -> bool:
    """Return whether the `headline_share` is told, and another than the counts make."""
    bounds = headline_bounds(week)
    return bounds is not None and bounds != (week.agreement, week.wilson_low, week.wilson_high)


def weighting_reason(week: Digest) -> str:
    """Return why the `headline_share` is another than the counts make; empty where it is not."""
    return WEIGHTED if is_weighted(week) else ""


def share_with_interval(share: float, low: float, high: float) -> str:
    """Return a share with its interval."""
    return f"{percent(share)}, likely between {percent(low)} and {percent(high)}"


def figure_sentences(week: Digest) -> list[str]:
    """Return the sentences on weights, chance, numbers, free texts, single people and answers to blind cards."""
    of_answers = [*_beyond_chance(week), *_scores(week), *_free_text(week), *_single_votes(week)]
    unweighted = [UNWEIGHTED] if weighting_reason(week) and of_answers else []
    return [*_weighted(week), *unweighted, *of_answers, *_blind(week)]


def _weighted(week: Digest) -> list[str]:
    reason = weighting_reason(week)
    return (
        [reason, f"Weighed like that, the judge agrees with you on {headline_share(week)}."] if reason else []
    )


def _beyond_chance(week: Digest) -> list[str]:
    if week.has_scores:
        return []  # a number off by one would be as wrong as any other
    if week.kappa is None or week.ac1 is None or week.kappa_low is None or week.kappa_high is None:
        return []
    sentence = (
        f"Beyond chance (0 is chance, 1 is full agreement): Cohen's kappa {_rated(week.kappa)}, likely between "
        f"{coefficient(week.kappa_low)} and {coefficient(week.kappa_high)}; Gwet's AC1 {_rated(week.ac1)}."
    )
    return [sentence, *filter(None, [gap_sentence(week)])]


def gap_sentence(week: Digest) -> str:
    """Return why kappa and AC1 differ; empty where they hardly do."""
    if week.kappa is None or week.ac1 is None:
        return ""
    if week.ac1 - week.kappa > MAX_GAP_UNTOLD:
        return SAME_VALUES
    return DIFFERENT_SHARES if week.kappa - week.ac1 > MAX_GAP_UNTOLD else ""


def _scores(week: Digest) -> list[str]:
    if not week.has_scores or week.n < MIN_VERDICTS_FOR_SHARE:
        return []
    if week.mean_absolute_error is None:
        return ["Nobody named a right number, so I don't know how far off the judge is."]
    sentences = [distance_sentence(week)]
    if week.weighted_kappa is not None and week.weighted_kappa_bounds is not None:
        low, high = map(coefficient, week.weighted_kappa_bounds)
        sentences.append(
            f"Beyond chance (0 is chance, 1 is full agreement): weighted kappa {_rated(week.weighted_kappa)}, "
            f"likely between {low} and {high}."
        )
    if week.unnamed:
        sentences.append("A 👎 without a number counts as far off as the other wrong ones.")
    return sentences


def distance_sentence(week: Digest) -> str:
    """Return how far the judge's numbers are from people's; empty where that is not known, or of few verdicts."""
    if week.mean_absolute_error is None or week.n < MIN_VERDICTS_FOR_SHARE:
        return ""
    return f"On average the judge's number is {mean_distance(week.mean_absolute_error)} away from people's."


def mean_distance(error: float) -> str:
    """Return a mean distance; 0 is said of full agreement only."""
    return f"{error:,.0f}" if error >= 100 else f"{error:.2g}"


def _free_text(week: Digest) -> list[str]:
    if week.is_comparable or not week.n:
        return []
    return [
        "Free texts are not comparable: a 👍 counts as right and a 👎 as wrong, whatever text people name."
    ]


def _single_votes(week: Digest) -> list[str]:
    votes = week.single_votes
    if votes is None:
        return []
    return [
        f"Where several people answered, one person agrees with the judge in {counts_with_share(votes.with_judge)}.",
        f"Two people agree with each other in {counts_with_share(votes.among_people)}.",
    ]


def _blind(week: Digest) -> list[str]:
    blind = week.blind
    if blind is None:
        return []
    when = "" if blind.weeks == 1 else f" in the last {blind.weeks} weeks"
    counts = (
        f"People who answered before seeing the verdict agreed with the judge on {blind.agreed} of {blind.n}"
    )
    sentences = [f"{counts}{when}."]
    if blind.anchored_n:
        sentences.append(f"With the verdict in sight, it was {blind.anchored_agreed} of {blind.anchored_n}.")
    return [*sentences, *_anchoring(blind)]


def _anchoring(blind: BlindAgreement) -> list[str]:
    effect, low, high = blind.effect, blind.effect_low, blind.effect_high
    if (
        min(blind.n, blind.anchored_n) < MIN_VERDICTS_FOR_SHARE
        or effect is None
        or low is None
        or high is None
    ):
        return []
    counted = blind.anchored_agreed / blind.anchored_n - blind.agreed / blind.n
    weighed = "" if isclose(counted, effect, abs_tol=1e-9) else "weighed by their chances, "
    if low <= 0 <= high:
        bounds = f"likely between {points_words(low)} and {points_words(high)}"
        return [
            capitalised(f"{weighed}the difference of {points_words(effect)} points may be chance: {bounds}.")
        ]
    size, least, most = (round(each * 100) for each in (abs(effect), *sorted((abs(low), abs(high)))))
    more = "more" if effect > 0 else "less"
    bounds = f"likely between {least} and {most}"
    return [
        capitalised(f"{weighed}people agree {more} once they see the verdict: by {size} points, {bounds}.")
    ]


def points_words(difference: float) -> str:
    """Return a difference of two shares in percentage points, with its sign."""
    return f"{round(difference * 100):+d}".replace("-", "−")


def counts_with_share(share: AgreementShare) -> str:
    """Return counts, and the share that they make with its interval."""
    return (
        f"{share.agreed} of {share.n} ({share_with_interval(share.agreed / share.n, share.low, share.high)})"
    )


def learning_sentences(week: Digest) -> list[str]:
    """Return the sentences on what the judge's memory changed, against none and against that of each week's Monday."""
    within = "within the week" if week.week else "within each week"
    return [
        *memory_sentences("What it learned", week.against_base),
        *memory_sentences(f"What it learned {within}", week.against_last_week),
    ]


def memory_sentences(learned: str, comparison: ShadowComparison | None) -> list[str]:
    """Return the sentences on verdicts that are right, or wrong, by what a judge learned.

    Args:
        learned: the part of its memory that the other memory lacks.
        comparison: the verdicts; fewer than `MIN_VERDICTS_FOR_SHARE` without any difference are not told of.
    """
    if comparison is None:
        return []
    figures = comparison.all
    if not (figures.fixed or figures.broken):
        return [] if figures.n < MIN_VERDICTS_FOR_SHARE else [f"{learned} {_no_difference(figures)}"]
    chance = "could be chance" if figures.p_value > MAX_P_OF_REAL_DIFFERENCE else "is hardly chance"
    told = f"{learned} {_difference(figures, pluralise(figures.n, 'verdict'))} That {chance}."
    return [told, *_seen_before(comparison)]


def _no_difference(figures: MemoryComparison) -> str:
    right = (
        f"{figures.right_now} {'is' if figures.right_now == 1 else 'are'}" if figures.right_now else "none is"
    )
    return f"made no difference to {pluralise(figures.n, 'verdict')}: {right} right either way."


def _difference(figures: MemoryComparison, verdicts: str) -> str:
    return f"fixed {figures.fixed or 'none'} of {verdicts} and broke {figures.broken or 'none'}."


def _seen_before(comparison: ShadowComparison) -> list[str]:
    """Return the sentence on traces unlike any learned case, if there were near copies as well."""
    copies, new = comparison.seen_before, comparison.new
    if not copies.n or not (comparison.all.fixed or comparison.all.broken):
        return []
    resembled = f"{copies.n} of them resembled cases it had learned"
    return (
        [f"{resembled}. On new traces, it {_difference(new, str(new.n))}"] if new.n else [f"All {resembled}."]
    )


def late_line(week: Digest) -> str:
    """Return the sentence on votes that came after their verdicts' week; empty without any."""
    if not week.late:
        return ""
    verdicts = pluralise(week.late, "verdict")
    return f"Late votes on {verdicts} of earlier weeks: I learn from them, and those weeks' figures stay as they are."


def coverage_line(week: Digest) -> str:
    """Return how many cards were posted and answered, and which of these say nothing; empty without cards."""
    if not (week.shown or week.answered):
        return ""
    rest = {"cannot tell": week.unsure, "split": week.split, "👎 without the right value": week.unnamed}
    parts = [f"Cards posted: {week.shown}", f"answered: {week.answered}"]
    return " · ".join([*parts, *(f"{name}: {number}" for name, number in rest.items() if number)])
