"""Mentions of the bot in replies: what is left of a reply, and which only call for help."""

import pytest

from bot.replies.addressing import addressed_words, calls_for_help

BOT = "<@U0000000BOT>"


@pytest.mark.parametrize(
    "text", [BOT, f"{BOT} help!", "<@U0000000BOT|memalign> hi", f"{BOT}, hilfe", f"{BOT} ?"]
)
def test_these_call_for_help(text: str) -> None:
    assert calls_for_help(text)


@pytest.mark.parametrize(
    "text",
    [f"{BOT} no, this is rude", f"{BOT} 2", "help", "helpful answers say more", "ok", f"hi {BOT} it is rude"],
)
def test_these_do_not(text: str) -> None:
    assert not calls_for_help(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{BOT} 2, because it is short", "2, because it is short"),
        (f"{BOT}: <@U2> never be rude", "never be rude"),
        (f"as {BOT} said", f"as {BOT} said"),
        ("- a list", "- a list"),
    ],
)
def test_a_reason_is_what_follows_the_mentions(text: str, words: str) -> None:
    assert addressed_words(text) == words
