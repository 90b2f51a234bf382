"""Phrases that Slack and the terminal have in common; plain text, without the markup of either."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from difflib import get_close_matches

from bot.runtime.clock import DAY_MS
from memalign.records import FORGOTTEN_PERSON, Guideline, Label, Lack

MIN_NAME_SIMILARITY = 0.6
"""Share of equal letters, as difflib counts it, from which a name may be meant."""

TERMINAL = "terminal"
"""Stands for whoever decides at the terminal, where nobody has a Slack id."""
TERMINAL_NAME = "somebody at the terminal"
NAMES_BESIDE_SLACK: Mapping[str, str] = {
    TERMINAL: TERMINAL_NAME,
    FORGOTTEN_PERSON: "somebody who was forgotten",
}
"""Names of those who are nobody in Slack, by id."""

DATABASE_COPIES = "The database's own log, replicas and backups keep copies for as long as they are set to."
"""A store on a server: what a vacuum of its tables does not reach."""
FROM_ONE_PERSON = "from one person so far"
LACKS: Mapping[Lack, str] = {
    "approval": "somebody has to approve it",
    "people": "more people have to say so",
    "agreement": "somebody has to decide on it",
    "trial": "I'm trying it on earlier cases",
}


def pluralise(number: int, noun: str, plural: str | None = None) -> str:
    """Return the number with its noun: `1 case`, `2 cases`; `plural` where an s is not enough."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"


def format_label_plain(value: Label) -> str:
    """Return a value in words without an emoji, not escaped."""
    if isinstance(value, bool):
        return "pass" if value else "fail"
    return str(value)


def long_date(day: date) -> str:
    """Return a day as documents write it, such as `23 November 2026`."""
    return f"{day.day} {day:%B %Y}"


def capitalised(words: str) -> str:
    """Return words with a capital at their beginning; the other letters stay."""
    return words[:1].upper() + words[1:]


def enumerated(words: Sequence[str]) -> str:
    """Return words as a sentence lists them: `a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def days_ago(time_ms: int, now_ms: int) -> str:
    """Return how long ago a time was, in days: `today`, `yesterday`, `3 days ago`."""
    days = max(now_ms - time_ms, 0) // DAY_MS
    return ("today", "yesterday")[days] if days < 2 else f"{days} days ago"


def guideline_state(rule: Guideline) -> str:
    """Return the sentence on why a guideline is not simply in use; empty when it is."""
    if rule.retired:
        return "Out of use: somebody retired it."
    if rule.waiting:
        return "Out of use: to be learned again from what remains."
    if rule.overruled:
        return "Out of use: more people say the opposite."
    if "agreement" in rule.lacks:
        return f"Not used for now: {disagreement(rule)}."
    if rule.lacks:
        return _lacks_sentence(rule)
    if rule.doubtful:
        return f"In doubt: {disagreement(rule)}.{' It is pinned, so I still use it.' if rule.pinned else ''}"
    if rule.conflicts_with:
        return "Another guideline says the opposite."
    return "Pinned: it comes first, and is never left out." if rule.pinned else ""


def disagreement(rule: Guideline) -> str:
    """Return the clause on how many votes were against verdicts that a guideline led to.

    In an earlier version of a memory the votes are not known.
    """
    votes = rule.record.up + rule.record.down
    told = f"{rule.record.down} of {pluralise(votes, 'vote')}" if votes else "most votes"
    return f"{told} were against verdicts that rested on it"


def agreement(rule: Guideline) -> str:
    """Return the clause on how many votes agreed with verdicts that a guideline led to.

    Empty without votes, and where `guideline_state` tells how many were against them.
    """
    record = rule.record
    votes = record.up + record.down
    return f"{record.up} of {pluralise(votes, 'vote')} agreed" if votes and not rule.doubtful else ""


def trial_sentence(rule: Guideline) -> str:
    """Return the sentence on what a guideline changed where it was tried; empty where that says nothing of it now."""
    trial = rule.trial
    if trial is None or rule.is_held_back or rule.is_worded_by_hand or not rule.has_words:
        return ""
    changed = (
        f"fixed {trial.fixed}, broke {trial.broke}" if trial.fixed or trial.broke else "no verdict changed"
    )
    return f"I tried it on {pluralise(trial.tried, 'earlier case')}: {changed}."


def _lacks_sentence(rule: Guideline) -> str:
    """Return the sentence on what a guideline lacks, after that on the trial that holds it back."""
    trial = rule.trial
    if trial is None or not rule.is_held_back:
        return f"Not used yet: {' and '.join(LACKS[lack] for lack in rule.lacks)}."
    held_back = (
        f"I tried it on {pluralise(trial.tried, 'earlier case')}: it would fix {trial.fixed or 'none'} "
        f"and break {trial.broke}, so I don't use it yet."
    )
    others = " and ".join(LACKS[lack] for lack in rule.lacks if lack != "trial")
    return f"{held_back} Besides, {others}." if others else held_back


def keeping_sentence(keep_days: int | None) -> str:
    """Return the sentence on how long answers without a vote are kept; empty where that is for ever."""
    return (
        ""
        if keep_days is None
        else f"Answers that nobody voted on are deleted after {pluralise(keep_days, 'day')}."
    )


def did_you_mean(guess: str | None) -> str:
    """Return the question after a name that is not known, with a blank before it; empty without a guess."""
    return f" Did you mean “{guess}”?" if guess else ""


def nearest(name: str, known: Iterable[str], min_similarity: float = MIN_NAME_SIMILARITY) -> str | None:
    """Return the known name that is most like one that was typed; None where none is like it.

    One of the same letters comes first: two that were swapped are the most frequent slip.
    """
    by_folded = {each.casefold(): each for each in known}
    letters = sorted(name.casefold())
    if swapped := next((each for folded, each in by_folded.items() if sorted(folded) == letters), None):
        return swapped
    found = get_close_matches(name.casefold(), by_folded, n=1, cutoff=min_similarity)
    return by_folded[found[0]] if found else None
