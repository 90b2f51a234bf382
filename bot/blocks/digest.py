"""The weekly digest in words."""

from collections.abc import Mapping, Sequence

from bot.blocks.mrkdwn import escape_name
from bot.blocks.primitives import SlackMessage, text_message
from bot.digest_words import coverage_line, figure_sentences, late_line, learning_sentences, share_note
from bot.plain_text import FROM_ONE_PERSON, pluralise
from bot.records import Digest
from memalign.records import Guideline


def digest_message(
    title: str, week: Digest, running: Digest | None = None, rules: Sequence[Guideline] = ()
) -> SlackMessage:
    """Return a week's agreement between judge and people.

    Args:
        title: the judge as people call it.
        week: the week.
        running: the current week, where a line on it is wanted as well.
        rules: the judge's guidelines as they are now.
    """
    lines = [f"*{escape_name(title, 150)}* in week {week.week.partition('-W')[2]}", *_agreement(week)]
    sentences = (*figure_sentences(week), *learning_sentences(week), late_line(week), coverage_line(week))
    lines += [line for line in sentences if line]
    lines.append(
        f"Guidelines learned: {week.guidelines_learned} · taken back: {week.guidelines_retired} · "
        f"traces forgotten: {week.forgotten}"
    )
    lines += _voices(rules)
    if running and running.n:
        lines.append(f"This week so far: you agreed with {running.agreed} of {running.n} verdicts.")
    return text_message("\n".join(lines))


def _voices(rules: Sequence[Guideline]) -> list[str]:
    """Return lines on guidelines in doubt, and on those that rest on one person, or are not used yet."""
    alone = sum(rule.in_use and len(rule.people) == 1 for rule in rules)
    pending = sum(rule.state == "pending" and not rule.doubtful for rule in rules)
    parts = [
        f"{alone} of {pluralise(sum(rule.in_use for rule in rules), 'guideline')} in use {FROM_ONE_PERSON}",
        f"{pending} not used yet: to be approved, said by more people, or proved on earlier cases",
    ]
    line = " · ".join(part for part, number in zip(parts, (alone, pending), strict=True) if number)
    return [each for each in (doubt_line(rules), line) if each]


def doubt_line(rules: Sequence[Guideline]) -> str:
    """Return the line on guidelines that somebody has to decide on; empty where there is none."""
    doubtful = sum(rule.stands and rule.doubtful for rule in rules)
    if not doubtful:
        return ""
    verb, whom = ("is", "it") if doubtful == 1 else ("are", "them")
    return (
        f"{pluralise(doubtful, 'guideline')} {verb} in doubt: most votes were against verdicts that rested on {whom}. "
        f"Please decide; `/memalign guidelines` lists {whom} first."
    )


def _agreement(week: Digest) -> list[str]:
    if not week.n:
        if week.people:
            return [
                f"{pluralise(week.people, 'person', 'people')} answered, but no verdict found a majority."
            ]
        if week.late:
            return ["No verdict got its first vote."]
        return ["Nobody has voted on a verdict. A thumb on a card is all it takes."]
    voted = pluralise(week.people, "person", "people")
    lines = [
        f"{voted} answered. The judge was right on *{week.agreed} of {week.n} verdicts*{share_note(week)}."
    ]
    if week.table and week.agreed < week.n:
        lines.append(_differences(week.table))
    return lines


def _differences(table: Mapping[str, int]) -> str:
    numbers = {
        "too strict": table.get("judge_fail_people_pass", 0),
        "too lenient": table.get("judge_pass_people_fail", 0),
    }
    told = [f"{fault} {_times(number)}" for fault, number in numbers.items() if number]
    return f"It was {' and '.join(told)}."


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
