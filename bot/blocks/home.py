"""App Home: each judge's week, the cards that wait for a person's vote, and what that person's feedback changed."""

from datetime import datetime, timedelta

from bot.blocks.blind_card import YOUR_VIEW_FIRST, answer_elements
from bot.blocks.commands import HELP, state_note
from bot.blocks.digest_rules import doubt_line
from bot.blocks.mine import vote_entry
from bot.blocks.mrkdwn import escape, escape_name, format_label
from bot.blocks.primitives import Block, actions, context, plain_text, section
from bot.blocks.trace_line import question_line
from bot.blocks.vote_buttons import vote_buttons
from bot.plain_text import keeping_sentence, pluralise
from bot.records import HomeJudge, HomePage, OpenCard

MAX_JUDGES_SHOWN, MAX_OPEN_CARDS_SHOWN, MAX_VOTES_SHOWN, MAX_RULES_SHOWN = 10, 10, 5, 5
ROW = "home-"
"""Begins the ids of the tab's rows of buttons."""
WELCOME = (
    "I judge answers of your application and learn from you: read a card, press 👍 or 👎, and say why. "
    "You can vote right here."
)


def home_view(page: HomePage, note: str = "") -> Block:
    """Return the Home tab; `note` is the answer to what was pressed on it last, already escaped."""
    blocks: list[Block] = [
        {"type": "header", "text": plain_text("Teach your judges")},
        section(note or WELCOME),
        *(section(_judge(judge)) for judge in page.judges[:MAX_JUDGES_SHOWN]),
    ]
    if not page.judges:
        blocks.append(
            section("You are in no channel where a judge works; join one, and open this tab again.")
        )
    if not page.is_well:
        blocks.append(section("*Something needs a look:* type `/memalign status`."))
    blocks += [*_open_cards(page), *_votes(page), *_rules(page), {"type": "divider"}, section(HELP)]
    if sentence := keeping_sentence(page.keep_days):
        blocks.append(context(sentence))
    return {"type": "home", "blocks": blocks}


def home_vote_counted(vote: str) -> str:
    """Return the answer to a vote on the tab."""
    thumbs = {"up": "👍", "down": "👎", "unsure": "🤷"}
    return f"Your {thumbs[vote]} counts. To change your mind, open the card; say why in its thread."


def home_two_votes() -> str:
    """Return the answer to a vote on the tab that another one of the person's stands against."""
    return "You've given two different votes on that card, so neither counts. I asked you there which one you keep."


def verdict_id_of_row(block_id: str) -> str:
    """Return the verdict that a row of buttons is about, on the tab or on a card."""
    return block_id.removeprefix(ROW)


def _judge(judge: HomeJudge) -> str:
    name = escape_name(judge.name, 150)
    week = f"right on {judge.agreed} of {judge.n} verdicts this week" if judge.n else "no votes this week yet"
    learned = f"{pluralise(judge.cases, 'case')} and {pluralise(judge.guidelines, 'guideline')} learned"
    paused = "\n⏸️ Paused: nothing is judged or shown." if judge.is_paused else ""
    doubt = f"\n{line}" if (line := doubt_line(judge.rules)) else ""
    return f"*{name}*: {week} · {learned}{paused}{doubt}"


def _open_cards(page: HomePage) -> list[Block]:
    if page.record.is_muted:
        return [section("You muted me, so I list no open cards; `/memalign unmute` ends that.")]
    if not page.open_cards:
        return [section("You're all caught up: no card waits for your vote.")]
    count = len(page.open_cards)
    shown = page.open_cards[:MAX_OPEN_CARDS_SHOWN]
    blocks: list[Block] = [{"type": "divider"}, section(f"*Waiting for your vote ({_at_least(count)})*")]
    for card in shown:
        verdict_id = card.stored.verdict_id
        buttons = (
            answer_elements(card.value_type, verdict_id)
            if card.stored.is_hidden
            else vote_buttons(card.stored.verdict.value, card.value_type, verdict_id)
        )
        blocks += [section(_open_card(card, page.read_at)), actions(f"{ROW}{verdict_id}"[:255], *buttons)]
    return blocks


def _at_least(count: int) -> str:
    return str(count) if count <= MAX_OPEN_CARDS_SHOWN else f"more than {MAX_OPEN_CARDS_SHOWN}"


def _open_card(card: OpenCard, now: datetime) -> str:
    said = f"_{YOUR_VIEW_FIRST}_" if card.stored.is_hidden else format_label(card.stored.verdict.value)
    judged_at = datetime.fromtimestamp(card.stored.judged_ms / 1000, tz=now.tzinfo)
    return (
        f"*{escape(question_line(card.trace), 300)}*\n"
        f"{said} · {escape_name(card.title, 100)} · {age_words(now - judged_at)} · "
        f"<{card.link}|Open the card>"
    )


def age_words(age: timedelta) -> str:
    """Return how long ago something was, in its largest unit."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{pluralise(minutes, 'minute')} ago"
    if minutes < 24 * 60:
        return f"{pluralise(minutes // 60, 'hour')} ago"
    return f"{pluralise(minutes // (24 * 60), 'day')} ago"


def _votes(page: HomePage) -> list[Block]:
    votes = page.record.votes[:MAX_VOTES_SHOWN]
    if not votes:
        return []
    return [{"type": "divider"}, section("*Your last votes*"), *(section(vote_entry(vote)) for vote in votes)]


def _rules(page: HomePage) -> list[Block]:
    rules = page.record.rules
    if not rules:
        return []
    shown = [
        f"• {escape(rule.text, 500)} _({escape_name(judge, 100)})_{state_note(rule)}"
        for judge, rule in rules[:MAX_RULES_SHOWN]
    ]
    if (more := len(rules) - MAX_RULES_SHOWN) > 0:
        shown.append(f"and {more} more; `/memalign mine` lists them")
    head = f"*What your feedback changed:* {pluralise(len(rules), 'rule')} from your words"
    return [{"type": "divider"}, section(head), *map(section, shown)]
