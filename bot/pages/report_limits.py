"""The limits of a judge's report: a sentence for each that the data show, and none for others."""

from collections.abc import Iterator

from bot.digest_words import percent
from bot.judge_report import JudgeReport
from bot.plain_text import long_date, pluralise
from bot.records import MIN_VERDICTS_FOR_SHARE
from memalign.judge import LOCAL_MODELS

FEW_VERDICTS = 100
"""Verdicts below which the page says how wide the interval is: at 100 its half is up to ten points."""
FEW_PEOPLE = 3
"""People below which the page says that they may not stand for others. Set by hand."""
LOW_COVERAGE = 0.5
"""Share of answered cards below which the page says what that may do. Set by hand."""
MOST_VOTES = 0.6
"""Share of one person's votes from which on the page says so. Set by hand."""


def report_limits(report: JudgeReport) -> list[str]:
    """Return the limits, the weightiest first."""
    return [
        *_size(report),
        *_people(report),
        *_coverage(report),
        *_selection(report),
        *_anchoring(report),
        *_comparability(report),
        *_models(report),
        *_learning(report),
        *_changes(report),
        *_gone(report),
    ]


def _size(report: JudgeReport) -> Iterator[str]:
    life = report.life
    if not life.n:
        yield "No verdict has a majority of votes: this page says nothing of the judge's quality."
    elif life.n < MIN_VERDICTS_FOR_SHARE:
        yield f"Only {pluralise(life.n, 'verdict')} could be compared: too few for any share."
    elif life.n < FEW_VERDICTS and life.wilson_low is not None and life.wilson_high is not None:
        points = round((life.wilson_high - life.wilson_low) * 100)
        yield f"Only {life.n} verdicts could be compared, so that the interval is {points} points wide."
    if life.n > 0 and not report.recent.n:
        yield "Nobody answered lately: in the last four weeks the judge may have become better or worse."


def _people(report: JudgeReport) -> Iterator[str]:
    people, data = report.life.people, report.data
    if 0 < people < FEW_PEOPLE:
        verb = "has" if people == 1 else "have"
        yield f"Only {pluralise(people, 'person', 'people')} {verb} answered, whose view need not be that of others."
    elif data.votes and data.most_by_one >= MOST_VOTES * data.votes:
        yield f"One person gave {percent(data.most_by_one / data.votes)} of all {data.votes:,} votes."
    if report.life.n and report.life.single_votes is None:
        yield "Too few verdicts were answered by several people to tell how far people agree with each other."


def _coverage(report: JudgeReport) -> Iterator[str]:
    life = report.life
    if life.shown and life.answered < LOW_COVERAGE * life.shown:
        yield (
            f"People answered {percent(life.answered / life.shown)} of the cards. If they answer wrong verdicts more "
            "often than right ones, the agreement is really higher than told here. Otherwise it may be lower."
        )
    if life.split:
        yield f"On {pluralise(life.split, 'verdict')} people tie; these count neither for the judge nor against it."
    if life.unsure:
        yield f"On {pluralise(life.unsure, 'verdict')} nobody could tell; these are left out of the agreement."
    if life.unnamed:
        yield f"On {pluralise(life.unnamed, 'verdict')} people say that the judge is wrong, but not what is right."
    if report.data.late:
        verdicts = pluralise(report.data.late, "verdict")
        yield f"On {verdicts} people voted after the week in which it counts; the judge learned, the figures stay."


def _selection(report: JudgeReport) -> Iterator[str]:
    if report.data.has_different_chances:
        yield (
            "Cards were picked with different chances, to teach the judge where it errs. Plain counts are of the "
            "cards; the weighted share stands for all traces that could be picked."
        )
    if report.data.cards_without_chance:
        cards = pluralise(report.data.cards_without_chance, "card")
        yield f"The first {cards} count as picked for certain, since no other chance is noted of them."


def _anchoring(report: JudgeReport) -> Iterator[str]:
    blind = report.life.blind
    if report.life.answered and not blind:
        yield "People saw each verdict before they voted, which draws votes towards it; no blind card was answered."
    elif blind and blind.n < MIN_VERDICTS_FOR_SHARE:
        answers = pluralise(blind.n, "answer")
        yield f"Only {answers} came before the verdict was shown: too few to tell how far it draws votes."


def _comparability(report: JudgeReport) -> Iterator[str]:
    if not report.life.is_comparable:
        yield "Free texts are not comparable: agreement only tells how often people called a text right."
    if report.data.near_copies:
        verdicts = pluralise(report.data.near_copies, "verdict")
        yield f"Of {verdicts} compared, the memory held a near copy when it judged: on new traces it may do worse."


def _models(report: JudgeReport) -> Iterator[str]:
    if report.card.model.startswith(LOCAL_MODELS):
        yield "The judge is an offline statistical model, not a language model; it goes by labelled cases alone."
    models = report.data.models
    if unnoted := sum(each.verdicts for each in models if not each.model):
        yield f"{pluralise(unnoted, 'verdict')} of an earlier version of the bot do not say which model gave them."
    for each in [each for each in models if each.model][1:]:
        yield f"Since {long_date(each.first)} verdicts also came from {each.model}; figures are of all models together."


def _changes(report: JudgeReport) -> Iterator[str]:
    for change in reversed(report.history.settings):
        yield f"On {long_date(change.at)}: {change.note} Figures of earlier weeks are of the judge as it was before."
    for rollback in reversed(report.history.rollbacks):
        back = "an earlier version" if rollback.to is None else f"version {rollback.to}"
        yield (
            f"On {long_date(rollback.at)} the memory went back to {back}; verdicts in between rest on what was undone."
        )
    for sentence in report.settings.changes:
        yield f"{sentence.rstrip('.')} since the bot last ran: no figure here is of the new settings."


def _learning(report: JudgeReport) -> Iterator[str]:
    for week in report.worse_weeks:
        yield f"In {week} the judge did worse than with the memory of the week before; that is hardly chance."


def _gone(report: JudgeReport) -> Iterator[str]:
    data = report.data
    if data.damaged_records:
        records = pluralise(data.damaged_records, "record")
        yield f"Damaged in the store, and so in no figure: {records}. An earlier copy of the store may hold them."
    if data.forgotten_traces or data.forgotten_people:
        gone = [
            data.forgotten_traces and pluralise(data.forgotten_traces, "trace"),
            data.forgotten_people
            and f"the words and votes of {pluralise(data.forgotten_people, 'person', 'people')}",
        ]
        yield f"Forgotten on request, and so in no figure: {' and '.join(str(each) for each in gone if each)}."
    if data.expired:
        verb = "was" if data.expired == 1 else "were"
        yield (
            f"{pluralise(data.expired, 'unanswered trace')} of all judges {verb} deleted for age. Their cards are no "
            "longer counted, so that the answered share seems higher than it was."
        )
