"""The weekly digest in words."""

from bot.blocks.mrkdwn import escape_name
from bot.blocks.primitives import SlackMessage, text_message
from bot.plain_text import pluralise
from bot.records import MIN_VERDICTS_FOR_KAPPA, Digest


def digest_message(week: Digest, running: Digest | None = None) -> SlackMessage:
    """Return a week's agreement between judge and people; with `running`, a line on the current week as well."""
    lines = [f"*{escape_name(week.judge, 150)}* in week {week.week.partition('-W')[2]}", *_agreement(week)]
    if week.kappa is not None and week.ac1 is not None:
        lines.append(
            f"Beyond chance (0 is chance, 1 is full agreement): Cohen's kappa {week.kappa:.2f}, "
            f"Gwet's AC1 {week.ac1:.2f}."
        )
    lines.append(
        f"Guidelines learned: {week.guidelines_learned} · taken back: {week.guidelines_retired} · "
        f"traces forgotten: {week.forgotten}"
    )
    if running and running.n:
        lines.append(
            f"This week so far: you agreed with {running.agreed} of {pluralise(running.n, 'verdict')}."
        )
    return text_message("\n".join(lines))


def _agreement(week: Digest) -> list[str]:
    if week.agreement is None or week.wilson_low is None or week.wilson_high is None:
        if week.people:
            return [
                f"{pluralise(week.people, 'person', 'people')} answered, but no verdict found a majority."
            ]
        return ["Nobody has voted on a verdict. A thumb on a card is all it takes."]
    share = f"{week.agreement:.0%}"
    if week.n >= MIN_VERDICTS_FOR_KAPPA:
        share += f"; if you voted on many more, likely {week.wilson_low:.0%} to {week.wilson_high:.0%}"
    voted = pluralise(week.people, "person", "people")
    lines = [
        f"{voted} answered. The judge was right on *{week.agreed} of {pluralise(week.n, 'verdict')}* ({share})."
    ]
    if week.table and week.agreed < week.n:
        strict, lenient = week.table["judge_fail_people_pass"], week.table["judge_pass_people_fail"]
        lines.append(f"Where you differed: too strict {_times(strict)}, too lenient {_times(lenient)}.")
    return lines


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
