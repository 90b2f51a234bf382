"""`/memalign`, the shortcuts and App Home: what they answer, to whom, within Slack's limits."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.blocks.thread_status import thread_status_message
from bot.sandbox import Message as Posted
from bot.thread_status import PersonAnswer, TakenBackRule, TaughtRule, ThreadStatus
from memalign.records import Guideline, Json, Source
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace, words

RULE = "The answer should never send people away."
UNESCAPED = re.compile(r"<[@!#]|<https?://(?!127\.0\.0\.1|memalign-demo|example\.com/run)")


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path) as ready:
        yield ready


async def taught(harness: BotInWorkspace, trace_id: str = "tr-1") -> Posted:
    """A card whose feedback was learned."""
    card = await harness.show(trace_id)
    harness.react(card, "-1")
    harness.reply(card, RULE)
    await harness.learned()
    return card


def refused(harness: BotInWorkspace) -> list[str]:
    """The texts that Slack did not take."""
    calls = [f"{call.method}: {call.error}" for call in harness.slack.calls if call.error]
    return calls + [f"answer: {response.error}" for response in harness.slack.responses if response.error]


def unescaped(harness: BotInWorkspace) -> list[str]:
    """Words of the bot that Slack would read as mentions or disguised links."""
    payloads = [
        {name: opened(given) for name, given in call.params.items() if name != "metadata"}
        for call in harness.slack.calls
    ]
    payloads += [response.body for response in harness.slack.responses]
    return [text for payload in payloads for text in texts(payload) if UNESCAPED.search(text)]


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
        if part.get("type") == "text":  # a run of rich text, in which Slack reads nothing
            return []
        return [text for key, value in part.items() if key not in ("value", "type") for text in texts(value)]
    return [text for value in part for text in texts(value)] if isinstance(part, list) else []


async def test_every_answer_is_for_the_asker_alone(harness: BotInWorkspace) -> None:
    await taught(harness)
    before = len(harness.workspace.messages(harness.channel.id))
    for text in ("guidelines", "forget tr-1", "status", "digest", "help", "", "what?", "forget"):
        await harness.asked(harness.ben, text)
    assert {(message.user, message.channel) for message in harness.slack.ephemerals} == {
        (harness.ben.id, harness.channel.id)
    }
    assert len(harness.workspace.messages(harness.channel.id)) == before
    assert refused(harness) == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "What you can ask me"),
        ("help", "What you can ask me"),
        ("HELP", "What you can ask me"),
        ("  Guidelines   ", "no guidelines yet"),
        ("guidelines politeness", "no guidelines yet"),
        ("GUIDELINES  POLITENESS", "no guidelines yet"),
        ("status", "*Politeness* remembers 0 cases"),
        ("digest", "*Politeness* · "),
        ("guidelines wit", "*Politeness* has no guidelines yet"),
        ("guidelines politenes", "Did you mean the judge “politeness”?"),
        ("teach", "Which rule?"),
        ("teach politeness", "Which rule?"),
        ("teach always say pass", "That fixes the verdict"),
        ("make tea", "I don't know “make”."),
        ("<!channel>", "I don't know “&lt;!channel&gt;”."),
        ("forget", "Which trace?"),
        ("forget --yes", "Which trace?"),
        ("forget tr-9", "I don't know a trace “tr-9”"),
        ("forget tr-9 --yes", "I don't know a trace “tr-9”"),
        ("forget https://x.slack.com/archives/C1/p1700000000000000", "That link leads to no card of mine"),
        ("status", "All is well"),
        ("digest", "a quiet week"),
    ],
)
async def test_what_is_asked_is_answered(harness: BotInWorkspace, text: str, part: str) -> None:
    (answer,) = await harness.asked(harness.ana, text)
    assert part in answer


@pytest.mark.parametrize(
    ("typed", "meant"), [("guidlines", "guidelines"), ("stauts", "status"), ("digst last", "digest")]
)
async def test_a_mistyped_sub_command_is_asked_back_in_one_line(
    harness: BotInWorkspace, typed: str, meant: str
) -> None:
    (answer,) = await harness.asked(harness.ana, typed)
    assert f"Did you mean “{meant}”? `/memalign help` lists all" in answer
    assert "\n" not in answer.strip()


@pytest.mark.parametrize("typed", ["correct", "undo", "make tea"])
async def test_a_sub_command_that_is_like_no_other_is_answered_with_help(
    harness: BotInWorkspace, typed: str
) -> None:
    (answer,) = await harness.asked(harness.ana, typed)
    assert "Did you mean" not in answer
    assert "What you can ask me" in answer


@pytest.mark.parametrize("command", ["why", "forget"])
async def test_a_mistyped_trace_is_asked_back_by_one_whose_card_the_person_can_see(
    harness: BotInWorkspace, command: str
) -> None:
    await harness.show("tr-berlin")
    (answer,) = await harness.asked(harness.ana, f"{command} tr-berlim")
    assert "Did you mean “tr-berlin”?" in answer
    (answer,) = await harness.asked(harness.ana, f"{command} something else")
    assert "Did you mean" not in answer


async def test_guidelines_name_their_authors_and_cases(harness: BotInWorkspace) -> None:
    await taught(harness)
    (answer,) = await harness.asked(harness.ben, "guidelines")
    assert all(part in answer for part in (RULE, "Ana Ruiz", "1 case", "no verdict used it yet"))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("guidelines", "*Is it kind?* has no guidelines yet"),
        ("guidelines is it KIND?", "*Is it kind?* has no guidelines yet"),
        ("guidelines politeness", "*Is it kind?* has no guidelines yet"),
        ("guidelines is it kindd?", "Did you mean the judge “Is it kind?”?"),
    ],
)
async def test_guidelines_call_a_judge_by_its_title(tmp_path: Path, text: str, part: str) -> None:
    async with bot_in_workspace(tmp_path, judge={"title": "Is it kind?"}) as harness:
        (answer,) = await harness.asked(harness.ana, text)
        assert part in answer
        assert "*politeness*" not in answer


async def test_the_digest_counts_this_week(harness: BotInWorkspace) -> None:
    card = await harness.show()
    harness.react(card, "+1")
    await harness.slack.settled()
    (answer,) = await harness.asked(harness.ana, "digest")
    assert "right on 1 of 1 verdict*" in answer


@pytest.mark.parametrize("text", ["last", "Last week", "2026-W02"])
async def test_the_digest_of_an_earlier_week_does_not_count_this_one(
    harness: BotInWorkspace, text: str
) -> None:
    card = await harness.show()
    harness.react(card, "+1")
    await harness.slack.settled()
    (answer,) = await harness.asked(harness.ana, f"digest {text}")
    assert "a quiet week" in answer
    assert "1 of 1 verdict" not in answer


async def test_a_week_that_has_not_begun_has_nothing_that_waits(harness: BotInWorkspace) -> None:
    await harness.show()
    (answer,) = await harness.asked(harness.ana, "digest 2999-W05")
    assert answer.endswith(": this week has not begun yet.")


@pytest.mark.parametrize("text", ["yesterday", "2026-W99", "<!channel>"])
async def test_a_week_that_cannot_be_read_is_asked_back(harness: BotInWorkspace, text: str) -> None:
    (answer,) = await harness.asked(harness.ana, f"digest {text}")
    assert "I don't know a week “" in answer
    assert "digest last" in answer
    assert "<!" not in answer


# --- forgetting


@pytest.mark.parametrize("reference", ["id", "link", "thread link", "pasted link", "id in code"])
async def test_a_trace_is_named_by_its_id_or_by_a_link(harness: BotInWorkspace, reference: str) -> None:
    card = await taught(harness)
    stamp = card.ts.replace(".", "")
    reply = harness.workspace.thread(card.channel, card.ts)[-1].ts.replace(".", "")
    link = f"https://memalign-demo.slack.com/archives/{card.channel}/p{stamp}"
    typed = {
        "id": "tr-1",
        "id in code": "`tr-1`",
        "link": link,
        "pasted link": f"<{link}>",
        "thread link": f"https://memalign-demo.slack.com/archives/{card.channel}/p{reply}?thread_ts={card.ts}&cid={card.channel}",
    }[reference]
    (answer,) = await harness.asked(harness.ana, f"forget {typed}")
    assert "Forget trace tr-1?" in answer
    (answer,) = await harness.asked(harness.ana, f"FORGET {typed} --yes")
    assert "is forgotten" in answer
    assert (harness.labels(), harness.rules()) == ({}, [])


async def test_forgetting_shows_what_goes_and_waits_for_a_yes(harness: BotInWorkspace) -> None:
    await taught(harness)
    answer = (await harness.asked(harness.ana, "forget tr-1"))[0]
    assert RULE in answer
    assert "Ana Ruiz" in answer
    assert harness.rules() == [RULE]
    asking = harness.slack.ephemerals[-1]
    kept = await harness.ephemeral_answer(
        harness.slack.interactions.click(harness.ana.id, asking.channel, asking.ts, "forget_cancel")
    )
    assert "Nothing was forgotten" in kept
    assert harness.rules() == [RULE]


async def test_the_button_forgets_and_the_card_says_so(harness: BotInWorkspace) -> None:
    card = await taught(harness)
    await harness.asked(harness.ana, "forget tr-1")
    asking = harness.slack.ephemerals[-1]
    done = await harness.ephemeral_answer(
        harness.slack.interactions.click(harness.ana.id, asking.channel, asking.ts, "forget_confirm")
    )
    assert "Trace tr-1 is forgotten" in done
    assert harness.rules() == []
    await harness.until(lambda: harness.shown("tr-1") is None)
    everything = [
        words(message.blocks, message.text) for message in harness.workspace.thread(card.channel, card.ts)
    ]
    assert not any("Go away." in text for text in everything)
    bot_messages = [
        message
        for message in harness.workspace.thread(card.channel, card.ts)
        if message.user == harness.workspace.bot.id
    ]
    assert not any(RULE in words(message.blocks, message.text) for message in bot_messages)


@pytest.mark.parametrize("dash", ["--yes", "—yes"])
async def test_what_is_forgotten_is_said_to_be_so_when_asked_again(
    harness: BotInWorkspace, dash: str
) -> None:
    card = await taught(harness)
    await harness.asked(harness.ana, f"forget tr-1 {dash}")
    (answer,) = await harness.asked(harness.ana, "forget tr-1")
    assert "was forgotten already" in answer
    answer = (
        await harness.ephemeral_answer(harness.press(card, "vote_up"))
        if harness.shown("tr-1")
        else "forgotten"
    )
    assert "forgotten" in answer


async def test_a_forgotten_trace_is_not_taken_in_again(harness: BotInWorkspace) -> None:
    await taught(harness)
    await harness.asked(harness.ana, "forget tr-1 --yes")
    answer = await harness.send({"trace_id": "tr-1", "inputs": "Hello?", "outputs": "Go away."})
    assert answer["accepted"] == 0
    assert "forgotten" in answer["rejected"][0]["error"]


async def test_only_those_named_in_the_settings_may_forget(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, access={"forget": ["U0000000002"]}) as harness:
        assert harness.ben.id == "U0000000002"
        await taught(harness)
        for text in ("forget tr-1", "forget tr-1 --yes"):
            (answer,) = await harness.asked(harness.ana, text)
            assert "Only those named in the settings can forget this trace" in answer
        assert harness.rules() == [RULE]
        assert "is forgotten" in (await harness.asked(harness.ben, "forget tr-1 --yes"))[0]


async def test_who_is_not_in_the_channel_may_not_forget(harness: BotInWorkspace) -> None:
    await taught(harness)
    eve = harness.workspace.add_user("eve")
    elsewhere = harness.workspace.add_channel("elsewhere", members=[eve.id, harness.ben.id])
    await harness.slack.interactions.command(eve.id, elsewhere.id, "/memalign", "forget tr-1 --yes")
    await harness.until(lambda: harness.slack.ephemerals)
    assert "Only members of the channel" in harness.slack.ephemerals[-1].text
    assert harness.rules() == [RULE]
    done = await harness.ephemeral_answer(
        harness.slack.interactions.command(harness.ben.id, elsewhere.id, "/memalign", "forget tr-1 --yes"),
        harness.ben,
    )
    assert "is forgotten" in done


async def test_the_shortcut_forgets_from_the_card_and_from_its_thread(harness: BotInWorkspace) -> None:
    card = await taught(harness)
    for ts in (card.ts, harness.workspace.thread(card.channel, card.ts)[-1].ts):
        answer = await harness.ephemeral_answer(
            harness.slack.interactions.shortcut(harness.ana.id, card.channel, ts, "forget_trace")
        )
        assert "Forget trace tr-1?" in answer


# --- App Home


async def test_home_shows_what_judges_know_and_the_cards_without_my_thumb(harness: BotInWorkspace) -> None:
    await taught(harness, "tr-1")
    other = await harness.show("tr-2", outputs="You are welcome.")
    harness.workspace.open_home(harness.ana.id)
    view = await harness.until(lambda: harness.slack.home(harness.ana.id))
    home_text = words(view.content["blocks"])
    assert RULE in home_text
    assert home_text.count("Open the card") == 1
    assert other.ts.replace(".", "") in home_text


async def test_home_does_not_show_cards_of_channels_one_is_not_in(harness: BotInWorkspace) -> None:
    await harness.show()
    eve = harness.workspace.add_user("eve")
    harness.workspace.open_home(eve.id)
    view = await harness.until(lambda: harness.slack.home(eve.id))
    assert "Open the card" not in words(view.content["blocks"])


async def test_home_leaves_out_a_card_that_was_deleted(harness: BotInWorkspace) -> None:
    deleted, there = await harness.show("tr-1"), await harness.show("tr-2")
    harness.workspace.delete_message(harness.workspace.message(deleted.channel, deleted.ts))
    harness.workspace.open_home(harness.ana.id)
    view = await harness.until(lambda: harness.slack.home(harness.ana.id))
    home_text = words(view.content["blocks"])
    assert there.ts.replace(".", "") in home_text
    assert deleted.ts.replace(".", "") not in home_text


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
async def test_any_text_makes_a_card_that_slack_takes(
    harness: BotInWorkspace, inputs: Json, outputs: Json
) -> None:
    await harness.send({"trace_id": "tr-1", "inputs": inputs, "outputs": outputs})
    card = await harness.card("tr-1")
    if any(
        element.get("action_id") == "show_all"
        for block in card.blocks or []
        for element in block.get("elements", [])
    ):
        await harness.press(card, "show_all")
        await harness.until(lambda: harness.slack.views(harness.ana.id))
    await harness.press(card, "vote_down")
    await harness.until(lambda: "reason" in str(harness.slack.views(harness.ana.id)))
    assert refused(harness) == []
    assert unescaped(harness) == []
    assert harness.workspace.mentions == []


async def test_all_of_a_long_text_can_be_read(harness: BotInWorkspace) -> None:
    inputs = " ".join(f"word{n}" for n in range(8_000))
    await harness.send({"trace_id": "tr-1", "inputs": inputs, "outputs": "short"})
    card = await harness.card("tr-1")
    assert "word4000" not in words(card.blocks)
    await harness.press(card, "show_all")
    view = (await harness.until(lambda: harness.slack.views(harness.ana.id)))[-1]
    assert inputs in words(view.content["blocks"]).replace("\n", "")


async def test_what_no_modal_holds_is_said_to_be_cut(harness: BotInWorkspace) -> None:
    await harness.send({"trace_id": "tr-1", "inputs": "x" * 400_000, "outputs": "y"})
    card = await harness.card("tr-1")
    await harness.press(card, "show_all")
    view = (await harness.until(lambda: harness.slack.views(harness.ana.id)))[-1]
    assert "no more here" in words(view.content["blocks"][-1:])


async def test_hostile_ids_links_and_names_are_shown_as_they_are(harness: BotInWorkspace) -> None:
    harness.workspace.users[harness.ana.id] = type(harness.ana)(
        **{
            **{name: getattr(harness.ana, name) for name in harness.ana.__slots__},
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
    await harness.send(trace)
    card = await harness.card(trace_id)
    harness.react(card, "-1")
    harness.reply(card, RULE)
    await harness.learned()
    await harness.asked(harness.ana, "guidelines")
    (answer,) = await harness.asked(harness.ana, f"forget {trace_id}")
    assert "&lt;!here&gt;" in answer
    await harness.asked(harness.ana, "forget <!everyone>")
    harness.workspace.open_home(harness.ana.id)
    await harness.until(lambda: harness.slack.home(harness.ana.id))
    assert unescaped(harness) == []
    assert refused(harness) == []
    assert harness.workspace.mentions == []


async def test_a_trace_id_too_long_for_slack_is_refused_at_the_door(harness: BotInWorkspace) -> None:
    answer = await harness.send({"trace_id": "t" * 2_000, "inputs": "a", "outputs": "b"})
    assert "trace_id" in answer["rejected"][0]["error"]
    await harness.send({"trace_id": "t" * 500, "inputs": "a", "outputs": "b"})
    await harness.card("t" * 500)
    (answer,) = await harness.asked(harness.ana, "forget " + "t" * 500)
    assert "Forget trace" in answer
    assert refused(harness) == []


def a_rule(number: int, length: int = 0, name: str = "U1") -> Guideline:
    source = Source(trace_id=f"tr-{number}", person=name, quote="<!channel> " + "&" * length)
    return Guideline(id=f"g-{number}", text=f"{number} <@U0000000001> " + "<" * length, sources=(source,))


def test_a_threads_status_pings_nobody_whatever_was_said() -> None:
    rule = TaughtRule(rule=a_rule(1, 50), earlier_text="<!here> ~&~", authors=("U2",))
    gone = TakenBackRule(text="<@U0000000002>", cause="vote_removed", people=("U2",), was_up=False)
    answers = (PersonAnswer(person="U2", value="<!here>"), PersonAnswer(person="U3", value="good"))
    status = ThreadStatus(judge="j", verdict="<@U1>", answers=answers, rules=(rule,), taken_back=(gone,))
    message = thread_status_message(status, {"U2": "<!channel>", "U3": "<@U0000000002>"}, show_votes=True)
    assert not UNESCAPED.search(message.text)
    assert not any(UNESCAPED.search(text) for text in texts(list(message.blocks)))
