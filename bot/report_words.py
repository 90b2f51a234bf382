"""A week's report in words that Slack and the terminal have in common; plain text, without the markup of either."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from bot.digest_words import headline_bounds, is_weighted, percent, shown_percent
from bot.plain_text import format_label_plain, pluralise
from bot.records import MIN_VERDICTS_FOR_SHARE, CurvePoint, Digest
from bot.weekly_report import ReportedRule, ReportedVerdict, WeeklyReport

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MAX_PEOPLE_THANKED = 12
"""Names in one sentence; of more, all are thanked at once, so that nobody is left out by the alphabet."""
MIN_MISTAKES_FOR_KIND = 2
MIN_WEEKS_FOR_CURVE = 2
"""Weeks with a share from which on a line can be drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The week in one line: how often the judge was right, the counts behind it, and the change."""

    agreement: str
    """Such as `62% agreement`; below ten verdicts `right on 3 of 5 verdicts`."""
    evidence: str = ""
    """Such as `56 of 90, likely 52–72%`; empty where the counts stand alone."""
    change: str = ""
    """Such as `▲ 13 points on the week before`; empty where there is nothing to compare."""

    @property
    def line(self) -> str:
        """All of it."""
        evidence = f"({self.evidence})" if self.evidence else ""
        return " ".join(filter(None, (self.agreement, evidence, self.change)))


def week_dates(report: WeeklyReport) -> str:
    """Return the week's days, such as `23–29 Nov`; with the year where it is not this one."""
    first, last = report.first_day, report.last_day
    begin = str(first.day) if first.month == last.month else f"{first.day} {MONTHS[first.month - 1]} "
    end = f"{last.day} {MONTHS[last.month - 1]}"
    year = "" if report.today.year in (first.year, last.year) else f" {last.year}"
    separator = "–" if first.month == last.month else "– "
    return f"{begin}{separator}{end}{year}"


def day_words(day: date) -> str:
    """Return a day such as `23 Nov`."""
    return f"{day.day} {MONTHS[day.month - 1]}"


def headline(report: WeeklyReport) -> Headline:
    """Return how often the judge was right; a percentage only where there are verdicts enough for one."""
    return replace(_agreement(report.figures), change=change_words(report))


def agreement_words(week: Digest) -> str:
    """Return how often the judge was right, with the counts and the interval behind a percentage."""
    told = _agreement(week)
    return f"{told.line}, from {pluralise(week.n, 'verdict')}" if is_weighted(week) else told.line


def _agreement(week: Digest) -> Headline:
    bounds = headline_bounds(week)
    if bounds is None:
        return Headline(agreement=_without_share(week))
    share, low, high = bounds
    likely = f"likely {interval_words(low, high)}"
    evidence = likely if is_weighted(week) else f"{week.agreed} of {week.n}, {likely}"
    return Headline(agreement=f"{percent(share)} agreement", evidence=evidence)


def _without_share(week: Digest) -> str:
    if week.n:
        return f"The judge was right on {week.agreed} of {pluralise(week.n, 'verdict')}"
    if week.people:
        return f"{pluralise(week.people, 'person', 'people')} answered, but no verdict found a majority"
    return "No verdict got its first vote" if week.late else "Nobody has voted on a verdict"


def interval_words(low: float, high: float) -> str:
    """Return an interval such as `52–72%`."""
    return f"{shown_percent(low)}–{percent(high)}"


def change_words(report: WeeklyReport) -> str:
    """Return the change on the week before, in points of the percentages that both weeks' digests show."""
    now, before = headline_bounds(report.figures), headline_bounds(report.before)
    if report.change is None or now is None or before is None:
        return ""
    points = shown_percent(now[0]) - shown_percent(before[0])
    if not points:
        return "the same as the week before"
    arrow = "▲" if points > 0 else "▼"
    chance = " (could be chance)" if report.change.could_be_chance else ""
    return f"{arrow} {pluralise(abs(points), 'point')} on the week before{chance}"


# --- mistakes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistakes:
    """The way in which a judge was wrong most often."""

    kind: str
    """Such as `too lenient`; not escaped, since it may hold values."""
    count: int
    total: int
    """All verdicts on which most people say otherwise."""

    @property
    def share(self) -> str:
        """The word for its frequency, such as `Mostly`."""
        return "Always" if self.count == self.total else "Mostly"


def main_mistake(report: WeeklyReport) -> Mistakes | None:
    """Return the way in which the judge was wrong in more than half of its mistakes; None without such a way.

    Of a single mistake there is nothing more to say than the mistake itself.
    """
    wrong = [verdict for verdict in report.verdicts if verdict.agreed is False]
    ranked = Counter(kind for verdict in wrong if (kind := _mistake(verdict, report.figures))).most_common(1)
    if len(wrong) < MIN_MISTAKES_FOR_KIND or not ranked or ranked[0][1] * 2 <= len(wrong):
        return None
    [(kind, count)] = ranked
    return Mistakes(kind=kind, count=count, total=len(wrong))


def _mistake(verdict: ReportedVerdict, week: Digest) -> str:
    value, people = verdict.value, verdict.people_value
    if people is None or not week.is_comparable:
        return ""
    if isinstance(value, bool):
        return "too lenient" if value else "too strict"
    if isinstance(value, int | float) and isinstance(people, int | float):
        return "too high" if value > people else "too low"
    return f"{format_label_plain(value)} where you say {format_label_plain(people)}"


def overruled_words(verdict: ReportedVerdict) -> str:
    """Return what judge and people say of a verdict: `judge says pass, 3 of 3 people say fail`; not escaped."""
    people = "not so" if verdict.people_value is None else format_label_plain(verdict.people_value)
    of_people = (
        "1 person says" if verdict.labels == 1 else f"{verdict.majority} of {verdict.labels} people say"
    )
    return f"judge says {format_label_plain(verdict.value)}, {of_people} {people}"


def rule_state(rule: ReportedRule) -> str:
    """Return why a guideline is not simply in use, in few words; empty where it is."""
    return "in doubt" if rule.is_doubtful else "not used yet" if rule.is_pending else ""


def guideline_line(report: WeeklyReport) -> str:
    """Return the week's changes of what the judge has learned."""
    week = report.figures
    return (
        f"Guidelines learned: {week.guidelines_learned} · retired: {week.guidelines_retired} · "
        f"traces forgotten: {week.forgotten}"
    )


# --- the curve


def drawn_points(curve: Sequence[CurvePoint]) -> Sequence[CurvePoint]:
    """Return the weeks of a curve that a chart shows: those with a share; none where they are too few for a line.

    Where at least half of them have one of the judge without memory as well, it shows those.
    """
    points = [point for point in curve if point.shown.n >= MIN_VERDICTS_FOR_SHARE]
    both = [point for point in points if point.base is not None and point.base.n >= MIN_VERDICTS_FOR_SHARE]
    if len(both) >= max(MIN_WEEKS_FOR_CURVE, len(points) / 2):
        return both
    return points if len(points) >= MIN_WEEKS_FOR_CURVE else []


def curve_lines(points: Sequence[CurvePoint]) -> dict[str, list[int]]:
    """Return the lines of a chart, in percent: the judge and, where all weeks have it, the judge without memory."""
    lines = {"Judge": [shown_percent(point.estimate.share) for point in points]}
    base = [percentage for point in points if (percentage := _base_percentage(point)) is not None]
    return lines | ({"Without memory": base} if len(base) == len(points) else {})


def _base_percentage(point: CurvePoint) -> int | None:
    """Return the percentage of the judge without memory, 0 and 100 of none and all only; None of too few verdicts."""
    base, share = point.base, point.base_share
    if base is None or share is None or base.n < MIN_VERDICTS_FOR_SHARE:
        return None
    lowest, highest = (0 if not base.agreed else 1), (100 if base.agreed == base.n else 99)
    return min(max(shown_percent(share), lowest), highest)


# --- what waits, and thanks


def waiting_words(report: WeeklyReport) -> str:
    """Return what waits for people, such as `10 cards are split, 12 wait for a first answer.`; empty without any."""
    if not report.is_recent:
        return ""
    split, waiting = report.figures.split, report.unanswered
    parts = []
    if split:
        parts.append(f"{pluralise(split, 'card')} {'is' if split == 1 else 'are'} split")
    if waiting:
        cards = str(waiting) if split else pluralise(waiting, "card")
        parts.append(f"{cards} {'waits' if waiting == 1 else 'wait'} for a first answer")
    return f"{', '.join(parts)}." if parts else ""


def thanked_people(report: WeeklyReport) -> tuple[str, ...]:
    """Return the names of those to thank, not escaped; all in one word where they are many, or not to be named."""
    if not report.people or len(report.people) > MAX_PEOPLE_THANKED:
        return ("everybody who answered",)
    return report.people + (("everybody else who answered",) if report.unnamed_people else ())
