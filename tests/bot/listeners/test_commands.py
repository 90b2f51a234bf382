"""`/memalign`, the shortcuts and App Home: what they answer, to whom, within Slack's limits."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.blocks.commands import guidelines_message
from bot.blocks.primitives import Message, pack_messages
from bot.blocks.thread import lesson_message
from bot.sandbox import Message as Posted
from memalign.records import Guideline, Json, Source
from tests.bot.bot_in_workspace import Stage, staged, words

RULE = "The answer should never send people away."
UNESCAPED = re.compile(r"<[@!#]|<https?://(?!127\.0\.0\.1|memalign-demo|example\.com/run)")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as ready:
        yield ready


async def taught(stage: Stage, trace_id: str = "tr-1") -> Posted:
    """A card whose feedback was learned."""
    card = await stage.show(trace_id)
    stage.react(card, "-1")
    stage.reply(card, RULE)
    await stage.learned()
    return card


def refused(stage: Stage) -> list[str]:
    """What Slack did not take."""
    calls = [f"{call.method}: {call.error}" for call in stage.slack.calls if call.error]
    return calls + [f"answer: {response.error}" for response in stage.slack.responses if response.error]


def unescaped(stage: Stage) -> list[str]:
    """Words of the bot that Slack would read as mentions or disguised links."""
    said = [
        {name: opened(given) for name, given in call.params.items() if name != "metadata"}
        for call in stage.slack.calls
    ]
    said += [response.body for response in stage.slack.responses]
    return [text for one in said for text in texts(one) if UNESCAPED.search(text)]


def opened(given: Json) -> Json:
    """An argument of a Web API call, which may be JSON in a form."""
    try:
        return json.loads(given)
    except (TypeError, ValueError):
        return given


def texts(part: Json) -> list[str]:
    if isinstance(part, str):
        return [part]
    if isinstance(part, dict):
        return [text for key, value in part.items() if key not in ("value", "type") for text in texts(value)]
    return [text for value in part for text in texts(value)] if isinstance(part, list) else []


async def test_every_answer_is_for_the_asker_alone(stage: Stage) -> None:
    await taught(stage)
    before = len(stage.workspace.messages(stage.channel.id))
    for text in ("guidelines", "forget tr-1", "status", "digest", "help", "", "what?", "forget"):
        await stage.asked(stage.ben, text)
    assert {(one.user, one.channel) for one in stage.slack.ephemerals} == {(stage.ben.id, stage.channel.id)}
    assert len(stage.workspace.messages(stage.channel.id)) == before
    assert refused(stage) == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "What you can ask me"),
        ("help", "What you can ask me"),
        ("HELP", "What you can ask me"),
        ("  Guidelines   ", "no guidelines yet"),
        ("guidelines politeness", "no guidelines yet"),
        ("GUIDELINES  POLITENESS", "no guidelines yet"),
        ("guidelines wit", 'There is no judge named "wit"; the judges are: politeness.'),
        ("make tea", "I don't know “make”."),
        ("<!channel>", "I don't know “&lt;!channel&gt;”."),
        ("forget", "Which trace?"),
        ("forget --yes", "Which trace?"),
        ("forget tr-9", 'I know no trace "tr-9"'),
        ("forget tr-9 --yes", 'I know no trace "tr-9"'),
        ("forget https://x.slack.com/archives/C1/p1700000000000000", "That link leads to no card of mine"),
        ("status", "All is well"),
        ("digest", "Nobody has voted"),
    ],
)
async def test_what_is_asked_is_answered(stage: Stage, text: str, part: str) -> None:
    (said,) = await stage.asked(stage.ana, text)
    assert part in said


async def test_a_wrong_sub_command_is_answered_with_help(stage: Stage) -> None:
    (said,) = await stage.asked(stage.ana, "guidline")
    assert "I don't know “guidline”." in said
    assert "/memalign guidelines" in said


async def test_guidelines_name_their_authors_and_traces(stage: Stage) -> None:
    await taught(stage)
    (said,) = await stage.asked(stage.ben, "guidelines")
    assert all(part in said for part in (RULE, "Ana Ruiz", "tr-1"))


async def test_the_digest_counts_this_week(stage: Stage) -> None:
    card = await stage.show()
    stage.react(card, "+1")
    await stage.slack.settled()
    (said,) = await stage.asked(stage.ana, "digest")
    assert "1 of 1 verdict" in said


# --- forgetting


@pytest.mark.parametrize("reference", ["id", "link", "thread link", "pasted link", "id in code"])
async def test_a_trace_is_named_by_its_id_or_by_a_link(stage: Stage, reference: str) -> None:
    card = await taught(stage)
    stamp = card.ts.replace(".", "")
    reply = stage.workspace.thread(card.channel, card.ts)[-1].ts.replace(".", "")
    link = f"https://memalign-demo.slack.com/archives/{card.channel}/p{stamp}"
    typed = {
        "id": "tr-1",
        "id in code": "`tr-1`",
        "link": link,
        "pasted link": f"<{link}>",
        "thread link": f"https://memalign-demo.slack.com/archives/{card.channel}/p{reply}?thread_ts={card.ts}&cid={card.channel}",
    }[reference]
    (said,) = await stage.asked(stage.ana, f"forget {typed}")
    assert "Forget trace tr-1?" in said
    (said,) = await stage.asked(stage.ana, f"FORGET {typed} --yes")
    assert "is forgotten" in said
    assert (stage.labels(), stage.rules()) == ({}, [])


async def test_forgetting_shows_what_goes_and_waits_for_a_yes(stage: Stage) -> None:
    await taught(stage)
    said = (await stage.asked(stage.ana, "forget tr-1"))[0]
    assert RULE in said
    assert "Ana Ruiz" in said
    assert stage.rules() == [RULE]
    asking = stage.slack.ephemerals[-1]
    kept = await stage.whispered(stage.slack.click(stage.ana.id, asking.channel, asking.ts, "forget_cancel"))
    assert "Nothing was forgotten" in kept
    assert stage.rules() == [RULE]


async def test_the_button_forgets_and_the_card_says_so(stage: Stage) -> None:
    card = await taught(stage)
    await stage.asked(stage.ana, "forget tr-1")
    asking = stage.slack.ephemerals[-1]
    done = await stage.whispered(stage.slack.click(stage.ana.id, asking.channel, asking.ts, "forget_confirm"))
    assert "Trace tr-1 is forgotten" in done
    assert stage.rules() == []
    await stage.until(lambda: stage.shown("tr-1") is None)
    everything = [words(one.blocks, one.text) for one in stage.workspace.thread(card.channel, card.ts)]
    assert not any("Go away." in said for said in everything)
    bot_said = [
        one for one in stage.workspace.thread(card.channel, card.ts) if one.user == stage.workspace.bot.id
    ]
    assert not any(RULE in words(one.blocks, one.text) for one in bot_said)


@pytest.mark.parametrize("dash", ["--yes", "—yes"])
async def test_what_is_forgotten_is_said_to_be_so_when_asked_again(stage: Stage, dash: str) -> None:
    card = await taught(stage)
    await stage.asked(stage.ana, f"forget tr-1 {dash}")
    (said,) = await stage.asked(stage.ana, "forget tr-1")
    assert "was forgotten already" in said
    said = await stage.whispered(stage.press(card, "vote_up")) if stage.shown("tr-1") else "forgotten"
    assert "forgotten" in said


async def test_a_forgotten_trace_is_not_taken_in_again(stage: Stage) -> None:
    await taught(stage)
    await stage.asked(stage.ana, "forget tr-1 --yes")
    answer = await stage.send({"trace_id": "tr-1", "inputs": "Hello?", "outputs": "Go away."})
    assert answer["accepted"] == 0
    assert "forgotten" in answer["rejected"][0]["error"]


async def test_only_those_named_in_the_settings_may_forget(tmp_path: Path) -> None:
    async with staged(tmp_path, access={"forget": ["U0000000002"]}) as stage:
        assert stage.ben.id == "U0000000002"
        await taught(stage)
        for text in ("forget tr-1", "forget tr-1 --yes"):
            (said,) = await stage.asked(stage.ana, text)
            assert "Only those named in the settings can forget this trace" in said
        assert stage.rules() == [RULE]
        assert "is forgotten" in (await stage.asked(stage.ben, "forget tr-1 --yes"))[0]


async def test_who_is_not_in_the_channel_may_not_forget(stage: Stage) -> None:
    await taught(stage)
    eve = stage.workspace.add_user("eve")
    elsewhere = stage.workspace.add_channel("elsewhere", members=[eve.id, stage.ben.id])
    await stage.slack.command(eve.id, elsewhere.id, "/memalign", "forget tr-1 --yes")
    await stage.until(lambda: stage.slack.ephemerals)
    assert "Only members of the channel" in stage.slack.ephemerals[-1].text
    assert stage.rules() == [RULE]
    done = await stage.whispered(
        stage.slack.command(stage.ben.id, elsewhere.id, "/memalign", "forget tr-1 --yes"), stage.ben
    )
    assert "is forgotten" in done


async def test_the_shortcut_forgets_from_the_card_and_from_its_thread(stage: Stage) -> None:
    card = await taught(stage)
    for ts in (card.ts, stage.workspace.thread(card.channel, card.ts)[-1].ts):
        said = await stage.whispered(stage.slack.shortcut(stage.ana.id, card.channel, ts, "forget_trace"))
        assert "Forget trace tr-1?" in said


# --- App Home


async def test_home_shows_what_judges_know_and_the_cards_without_my_thumb(stage: Stage) -> None:
    await taught(stage, "tr-1")
    other = await stage.show("tr-2", outputs="You are welcome.")
    await stage.slack.open_home(stage.ana.id)
    view = await stage.until(lambda: stage.slack.home(stage.ana.id))
    said = words(view.content["blocks"])
    assert RULE in said
    assert said.count("Open the card") == 1
    assert other.ts.replace(".", "") in said


async def test_home_does_not_show_cards_of_channels_one_is_not_in(stage: Stage) -> None:
    await stage.show()
    eve = stage.workspace.add_user("eve")
    await stage.slack.open_home(eve.id)
    view = await stage.until(lambda: stage.slack.home(eve.id))
    assert "Open the card" not in words(view.content["blocks"])


async def test_home_leaves_out_a_card_that_was_deleted(stage: Stage) -> None:
    gone, there = await stage.show("tr-1"), await stage.show("tr-2")
    stage.workspace.withdraw(stage.workspace.message(gone.channel, gone.ts))
    await stage.slack.open_home(stage.ana.id)
    view = await stage.until(lambda: stage.slack.home(stage.ana.id))
    said = words(view.content["blocks"])
    assert there.ts.replace(".", "") in said
    assert gone.ts.replace(".", "") not in said


# --- hostile and very long text

NASTY = (
    "<!channel> <@U0000000001> <#C0000000001> <http://evil.example|harmless> & *bold* _it_ ~no~ `code` "
    "```fence``` :boom: @here > quote \u202eright to left\u202c \U0001f469\u200d\U0001f680 &lt;!here&gt;"
)


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        (NASTY, NASTY),
        ("x" * 50_000, "y" * 50_000),
        ("&<>" * 20_000, "\n" * 5_000 + "end"),
        ("\U0001f469\u200d\U0001f680" * 15_000, "a\n" * 20_000),
        ({NASTY: NASTY, "list": [NASTY] * 50}, [NASTY] * 200),
        ("", "a"),
        ("a", ""),
        (0, False),
        ({"question": {"deep": [[[["x"]]]]}}, {"answer": "\x07bell \u0000 null"}),
    ],
)
async def test_any_text_makes_a_card_that_slack_takes(stage: Stage, inputs: Json, outputs: Json) -> None:
    await stage.send({"trace_id": "tr-1", "inputs": inputs, "outputs": outputs})
    card = await stage.card("tr-1")
    if any(
        element.get("action_id") == "show_all"
        for block in card.blocks or []
        for element in block.get("elements", [])
    ):
        await stage.press(card, "show_all")
        await stage.until(lambda: stage.slack.views(stage.ana.id))
    await stage.press(card, "vote_down")
    await stage.until(lambda: "reason" in str(stage.slack.views(stage.ana.id)))
    assert refused(stage) == []
    assert unescaped(stage) == []
    assert stage.workspace.pings == []


async def test_all_of_a_long_text_can_be_read(stage: Stage) -> None:
    inputs = " ".join(f"word{n}" for n in range(8_000))
    await stage.send({"trace_id": "tr-1", "inputs": inputs, "outputs": "short"})
    card = await stage.card("tr-1")
    assert "word7999" not in words(card.blocks)
    await stage.press(card, "show_all")
    view = (await stage.until(lambda: stage.slack.views(stage.ana.id)))[-1]
    pages = [block["text"]["text"] for block in view.content["blocks"] if "text" in block]
    assert inputs in "".join(pages)


async def test_what_no_modal_holds_is_said_to_be_cut(stage: Stage) -> None:
    await stage.send({"trace_id": "tr-1", "inputs": "x" * 400_000, "outputs": "y"})
    card = await stage.card("tr-1")
    await stage.press(card, "show_all")
    view = (await stage.until(lambda: stage.slack.views(stage.ana.id)))[-1]
    assert "no more here" in words(view.content["blocks"][-1:])


async def test_hostile_ids_links_and_names_are_shown_as_they_are(stage: Stage) -> None:
    stage.workspace.users[stage.ana.id] = type(stage.ana)(
        **{
            **{name: getattr(stage.ana, name) for name in stage.ana.__slots__},
            "real_name": "<!channel> *Ana* <@U0000000002>",
        }
    )
    trace_id = "<!here>&`*tr*`|<http://x|y>"
    trace = {
        "trace_id": trace_id,
        "inputs": "Hello?",
        "outputs": "Go away.",
        "url": "https://example.com/run?a=1&b=<!channel>|x",
    }
    await stage.send(trace)
    card = await stage.card(trace_id)
    stage.react(card, "-1")
    stage.reply(card, RULE)
    await stage.learned()
    await stage.asked(stage.ana, "guidelines")
    (said,) = await stage.asked(stage.ana, f"forget {trace_id}")
    assert "&lt;!here&gt;" in said
    await stage.asked(stage.ana, "forget <!everyone>")
    await stage.slack.open_home(stage.ana.id)
    await stage.until(lambda: stage.slack.home(stage.ana.id))
    assert unescaped(stage) == []
    assert refused(stage) == []
    assert stage.workspace.pings == []


async def test_a_trace_id_too_long_for_slack_is_refused_at_the_door(stage: Stage) -> None:
    answer = await stage.send({"trace_id": "t" * 2_000, "inputs": "a", "outputs": "b"})
    assert "trace_id" in answer["rejected"][0]["error"]
    await stage.send({"trace_id": "t" * 500, "inputs": "a", "outputs": "b"})
    await stage.card("t" * 500)
    (said,) = await stage.asked(stage.ana, "forget " + "t" * 500)
    assert "Forget trace" in said
    assert refused(stage) == []


def a_rule(number: int, length: int = 0, name: str = "U1") -> Guideline:
    source = Source(trace_id=f"tr-{number}", person=name, quote="<!channel> " + "&" * length)
    return Guideline(id=f"g-{number}", text=f"{number} <@U0000000001> " + "<" * length, sources=(source,))


def sized(message: Message) -> tuple[int, int]:
    """Blocks, and characters of all of them."""
    return len(message.blocks), sum(len(text) for text in texts(list(message.blocks)))


@pytest.mark.parametrize(("number", "length"), [(1, 10), (60, 400), (300, 1_000)])
def test_many_long_guidelines_are_few_messages_within_the_limits(number: int, length: int) -> None:
    listed = [(a_rule(n, length), ["<!channel>"]) for n in range(number)]
    messages = pack_messages([guidelines_message("wit", listed), guidelines_message("tact", [])])
    assert len(messages) <= 5
    for message in messages:
        count, characters = sized(message)
        assert count <= 50
        assert characters <= 13_200
        assert not any(UNESCAPED.search(text) for text in texts(list(message.blocks)))
        assert all(len(block["text"]["text"]) <= 3_000 for block in message.blocks if "text" in block)
    shown = sum(text.startswith("• ") for message in messages for text in texts(list(message.blocks)))
    assert shown == number or "more than Slack lets me say" in str(messages[-1].blocks)


def test_a_lesson_pings_nobody_whatever_was_said() -> None:
    said = lesson_message([(a_rule(1, 50), ["<!channel>", "<@U0000000002>"])])
    assert not UNESCAPED.search(said.text)
    assert not any(UNESCAPED.search(text) for text in texts(list(said.blocks)))
