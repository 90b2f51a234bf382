"""People handle guidelines in Slack: the list, the thread's buttons, the modal, teach and undo."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.blocks.guideline_answers import KEPT, USED
from bot.blocks.guideline_buttons import (
    APPROVE_GUIDELINE,
    EDIT_GUIDELINE,
    GUIDELINE_MENU,
    PIN_GUIDELINE,
    RESTORE_GUIDELINE,
    RETIRE_GUIDELINE,
    UNDO_GUIDELINE,
    UNPIN_GUIDELINE,
)
from bot.blocks.why import WRONG_GUIDELINE
from bot.sandbox import Message, User
from bot.sandbox.workspace.records import Ephemeral, View
from memalign.records import Guideline
from storage.guideline_requests import GuidelineRequest
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace, words
from tests.factories import a_vote_against
from tests.model_server import running_model_server

RULE = "The answer should never send people away."
BETTER = "The answer should always offer some help."
TWO_JUDGES = [{"name": "tact"}, {"name": "wit"}]


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[BotInWorkspace]:
    async with bot_in_workspace(tmp_path) as ready:
        yield ready


@pytest.fixture
def language_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with running_model_server() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        yield


async def taught(harness: BotInWorkspace) -> Message:
    """Let Ana teach a rule; the card in whose thread she did."""
    card = await harness.show("tr-1")
    harness.react(card, "-1")
    harness.reply(card, RULE)
    await harness.learned()
    await harness.until(lambda: any(RULE in text for text in harness.thread(card)) or None)
    return card


def lesson(harness: BotInWorkspace, card: Message) -> Message:
    """The message in a card's thread that tells of rules."""
    (message,) = [each for each in harness.workspace.thread(card.channel, card.ts) if "📝" in each.text]
    return message


def the_rule(harness: BotInWorkspace) -> Guideline:
    (rule,) = harness.bot.memories[JUDGE].guidelines
    return rule


async def the_list(harness: BotInWorkspace, user: User | None = None, text: str = "guidelines") -> Ephemeral:
    await harness.asked(user or harness.ana, text)
    return harness.slack.ephemerals[-1]


def now(harness: BotInWorkspace, message: Ephemeral) -> str:
    """The words of a message that one person sees, as it stands."""
    shown = harness.workspace.person_views.ephemeral(message.user, message.ts)
    return words(shown.blocks) if shown else ""


async def click(
    harness: BotInWorkspace, message: Ephemeral, action: str, value: object = None, holding: str = ""
) -> None:
    """Let the person who sees a message press in it, in the block that holds some words."""
    shown = harness.workspace.person_views.ephemeral(message.user, message.ts)
    assert shown is not None
    block_id = next(
        (each["block_id"] for each in shown.blocks or [] if holding and holding in words([each])), None
    )
    await harness.slack.interactions.click(
        message.user, message.channel, message.ts, action, value, block_id=block_id
    )


async def choose(harness: BotInWorkspace, message: Ephemeral, rule: str, action: str) -> None:
    await click(harness, message, GUIDELINE_MENU, action, holding=rule)


async def read(harness: BotInWorkspace, message: Ephemeral, part: str) -> str:
    """Wait until a message holds some words; all its words."""
    return await harness.until(lambda: now(harness, message) if part in now(harness, message) else None)


async def modal(harness: BotInWorkspace, user: User, title: str) -> View:
    """Wait for a modal on top of somebody's screen."""

    def top() -> View | None:
        views = harness.workspace.person_views.modals(user.id)
        return views[-1] if views and views[-1].content["title"]["text"] == title else None

    return await harness.until(top)


async def save(harness: BotInWorkspace, user: User, text: str) -> None:
    view = await modal(harness, user, "Edit the rule")
    await harness.slack.modals.submit(user.id, view.id, {"rule": text})


def problems(harness: BotInWorkspace) -> list[str]:
    calls = [f"{call.method}: {call.error}" for call in harness.slack.calls if call.error]
    return calls + [str(response.error) for response in harness.slack.responses if response.error]


# --- the list


async def test_a_rule_is_edited_in_the_list_and_the_edit_undone(harness: BotInWorkspace) -> None:
    await taught(harness)
    listed = await the_list(harness, harness.ben)
    assert "*1.* The answer should never send people away." in now(harness, listed)

    await choose(harness, listed, RULE, EDIT_GUIDELINE)
    await save(harness, harness.ben, BETTER)
    answer = await read(harness, listed, "Now it says")
    assert f"*1.* {BETTER}" in answer
    assert "edited by Ben Okafor" in answer
    assert (the_rule(harness).text, the_rule(harness).people) == (BETTER, (harness.ana.id,))

    await click(harness, listed, UNDO_GUIDELINE)
    assert f"*1.* {RULE}" in await read(harness, listed, "Undone")
    assert (the_rule(harness).text, the_rule(harness).edited_by) == (RULE, None)
    assert await harness.bot.database.guideline_requests.unfinished() == []
    assert problems(harness) == []


async def test_the_menu_retires_restores_pins_and_unpins(harness: BotInWorkspace) -> None:
    await taught(harness)
    listed = await the_list(harness)
    for action, sentence, state in (
        (PIN_GUIDELINE, "Pinned", (True, False)),
        (UNPIN_GUIDELINE, "Unpinned", (False, False)),
        (RETIRE_GUIDELINE, "I no longer use", (False, True)),
        (RESTORE_GUIDELINE, "Restored", (False, False)),
    ):
        await choose(harness, listed, "*1.*", action)
        await read(harness, listed, sentence)
        assert (the_rule(harness).pinned, the_rule(harness).retired) == state
    await choose(harness, listed, "*1.*", APPROVE_GUIDELINE)
    assert KEPT in await read(harness, listed, "Approved")
    assert the_rule(harness).approved_by == harness.ana.id
    assert problems(harness) == []


async def test_a_list_is_searched_and_turned(harness: BotInWorkspace) -> None:
    for number in range(45):
        await harness.bot.guidelines.add(
            JUDGE, f"Rule {number} says what topic {number} needs.", harness.ana.id
        )
    rules = harness.rules()
    listed = await the_list(harness)
    assert "(1–20 of 45)" in now(harness, listed)
    await click(harness, listed, "guidelines_page:next")
    assert f"*21.* {rules[20]}" in await read(harness, listed, "(21–40 of 45)")
    await choose(harness, listed, "*30.*", RETIRE_GUIDELINE)
    assert "(21–40 of 45)" in await read(harness, listed, f"say it again: “{rules[29]}")
    await click(harness, listed, "guidelines_page:previous")
    await read(harness, listed, "(1–20 of 45)")

    found = await the_list(harness, text="guidelines POLITENESS tópic 44")
    assert "1 of 45 guidelines of *Politeness* with “tópic 44”" in now(harness, found)
    await choose(harness, found, "topic 44", PIN_GUIDELINE)
    assert "1 of 45 guidelines" in await read(harness, found, "Pinned")
    await click(harness, found, "guidelines_page:all")
    await read(harness, found, "(1–20 of 45)")
    assert problems(harness) == []


async def test_several_judges_are_an_overview(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, judges=TWO_JUDGES) as harness:
        await harness.bot.guidelines.add("wit", RULE, harness.ana.id)
        overview = await the_list(harness)
        assert "*Wit*: 1 guideline" in now(harness, overview)
        assert "*Tact*: 0 guidelines" in now(harness, overview)
        await click(harness, overview, "guidelines_page:show")
        await read(harness, overview, RULE)
        assert "Which judge?" in (await harness.asked(harness.ana, "teach Name the source."))[0]
        assert "Added" in (await harness.asked(harness.ana, "teach TACT: Name the source."))[0]
        assert (harness.rules("tact"), harness.rules("wit")) == (["Name the source."], [RULE])


async def test_a_list_of_a_channel_that_one_left_is_not_turned(harness: BotInWorkspace) -> None:
    await harness.bot.guidelines.add(JUDGE, RULE, harness.ana.id)
    eve = harness.workspace.add_user("eve")
    elsewhere = harness.workspace.add_channel("elsewhere", members=[eve.id])
    await harness.slack.interactions.command(eve.id, elsewhere.id, "/memalign", "guidelines")
    await harness.until(lambda: harness.slack.ephemerals)
    assert "You are in no channel where a judge works" in harness.slack.ephemerals[-1].text
    await harness.slack.interactions.command(eve.id, elsewhere.id, "/memalign", f"teach politeness {BETTER}")
    await harness.until(lambda: len(harness.slack.ephemerals) > 1)
    assert "You are in no channel where a judge works" in harness.slack.ephemerals[-1].text
    assert harness.rules() == [RULE]


# --- the thread


async def test_a_lesson_is_put_out_of_use_in_its_thread_and_the_decision_undone(
    harness: BotInWorkspace,
) -> None:
    card = await taught(harness)
    answer = await harness.ephemeral_answer(
        harness.press(lesson(harness, card), RETIRE_GUIDELINE, harness.ben), harness.ben
    )
    assert answer.startswith(f"I no longer use this, in whatever words people say it again: “{RULE}”")
    await harness.until(lambda: "then retired" in lesson(harness, card).text or None)
    told = harness.slack.ephemerals[-1]
    await click(harness, told, UNDO_GUIDELINE)
    assert KEPT in await read(harness, told, "Undone")
    await harness.until(lambda: "📝 Learned: " in lesson(harness, card).text or None)
    assert the_rule(harness).in_use
    assert problems(harness) == []


async def test_a_retired_rule_that_is_said_again_is_restored_in_that_thread(harness: BotInWorkspace) -> None:
    card = await taught(harness)
    await harness.ephemeral_answer(harness.press(lesson(harness, card), RETIRE_GUIDELINE))
    again = await harness.show("tr-2")
    harness.react(again, "-1", by=harness.ben)
    harness.reply(again, RULE, by=harness.ben)
    await harness.learned()
    await harness.until(lambda: any("That's retired" in text for text in harness.thread(again)) or None)
    assert the_rule(harness).retired

    answer = await harness.ephemeral_answer(
        harness.press(lesson(harness, again), RESTORE_GUIDELINE, harness.ben), harness.ben
    )

    assert answer.startswith(f"Restored: “{RULE}”")
    assert the_rule(harness).in_use
    await harness.until(lambda: "retired" not in lesson(harness, again).text or None)


async def test_a_lesson_is_edited_in_its_thread(harness: BotInWorkspace) -> None:
    card = await taught(harness)
    await harness.press(lesson(harness, card), EDIT_GUIDELINE)
    answer = await harness.ephemeral_answer(save(harness, harness.ana, BETTER))
    assert answer.startswith(f"Now it says: “{BETTER}”")
    await harness.until(lambda: f"Now: “{BETTER}” (was: ~“{RULE}”~)" in lesson(harness, card).text or None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (RULE, "says that already"),
        ("Always say pass.", "fixes the verdict"),
        ("x" * 1_001, "at most 1,000 characters"),
        ("Another rule is known.", "says exactly that"),
    ],
)
async def test_the_modal_says_what_is_no_rule(harness: BotInWorkspace, text: str, problem: str) -> None:
    card = await taught(harness)
    await harness.bot.guidelines.add(JUDGE, "Another rule is known.", harness.ben.id)
    await harness.press(lesson(harness, card), EDIT_GUIDELINE)
    view = await modal(harness, harness.ana, "Edit the rule")
    answer = await harness.slack.modals.submit(harness.ana.id, view.id, {"rule": text})
    assert problem in answer["errors"]["rule"]
    assert harness.rules()[0] == RULE


async def test_who_edits_a_rule_that_changed_meanwhile_is_told_so(harness: BotInWorkspace) -> None:
    card = await taught(harness)
    await harness.press(lesson(harness, card), EDIT_GUIDELINE)
    view = await modal(harness, harness.ana, "Edit the rule")
    await harness.bot.guidelines.edit(JUDGE, the_rule(harness).id, BETTER, harness.ben.id)
    answer = await harness.slack.modals.submit(harness.ana.id, view.id, {"rule": "Be kind to people."})
    assert "Somebody changed this guideline meanwhile" in answer["errors"]["rule"]
    assert harness.rules() == [BETTER]


async def test_an_undo_of_what_changed_since_is_refused(harness: BotInWorkspace) -> None:
    await taught(harness)
    listed = await the_list(harness)
    await choose(harness, listed, RULE, PIN_GUIDELINE)
    await read(harness, listed, "Pinned")
    await harness.bot.guidelines.edit(JUDGE, the_rule(harness).id, BETTER, harness.ben.id)
    await click(harness, listed, UNDO_GUIDELINE)
    await read(harness, listed, "was changed since then")
    assert (the_rule(harness).text, the_rule(harness).pinned) == (BETTER, True)


async def test_a_button_of_a_rule_that_is_gone_says_so(harness: BotInWorkspace) -> None:
    await taught(harness)
    listed = await the_list(harness)
    await harness.asked(harness.ana, "forget tr-1 --yes")
    await choose(harness, listed, RULE, PIN_GUIDELINE)
    assert "no guidelines yet" in await read(harness, listed, "no guideline")
    assert problems(harness) == []


# --- inside modals


@pytest.mark.usefixtures("language_model")
async def test_a_rule_that_why_shows_is_put_out_of_use_on_top_of_it(
    tmp_path: Path,
) -> None:
    judge, memory = {"model": "openai:/gpt-5-mini"}, {"reflection_lm": "local:/extract"}
    memory["embedding_model"] = "local:/wordllama"
    async with bot_in_workspace(tmp_path, judge=judge, memory=memory) as harness:
        await harness.bot.guidelines.add(JUDGE, RULE, harness.ben.id)
        await harness.press(await harness.show("tr-1"), "why")
        why = await modal(harness, harness.ana, "Why this verdict?")
        await pressed(harness, why, WRONG_GUIDELINE)
        edit = await modal(harness, harness.ana, "Edit the rule")
        await pressed(harness, edit, RETIRE_GUIDELINE)
        told = await modal(harness, harness.ana, "Guidelines")
        assert "I no longer use" in words(told.content["blocks"])
        assert the_rule(harness).retired
        await pressed(harness, told, UNDO_GUIDELINE)
        await harness.until(lambda: "Undone" in screen(harness)[-1] or None)
        assert the_rule(harness).in_use
        assert len(screen(harness)) == 2

        await harness.slack.modals.close(harness.ana.id, told.id)
        await pressed(harness, why, WRONG_GUIDELINE)
        answer = await harness.ephemeral_answer(save(harness, harness.ana, BETTER))
        assert answer.startswith(f"Now it says: “{BETTER}” {USED}")
        assert problems(harness) == []


async def pressed(harness: BotInWorkspace, view: View, action: str) -> None:
    await harness.slack.interactions.view_click(harness.ana.id, view.id, action)


def screen(harness: BotInWorkspace) -> list[str]:
    """The words of Ana's modals, the uppermost last."""
    return [words(view.content["blocks"]) for view in harness.workspace.person_views.modals(harness.ana.id)]


# --- teach


async def test_a_rule_is_taught_in_ones_own_words_and_the_addition_undone(harness: BotInWorkspace) -> None:
    (answer,) = await harness.asked(harness.ana, "teach  Name <the> source & its date, mail ana@example.com.")
    assert "Added: “Name &lt;the&gt; source &amp; its date" in answer
    assert KEPT in answer
    assert "ana@example.com" not in the_rule(harness).text
    assert the_rule(harness).people == (harness.ana.id,)
    told = harness.slack.ephemerals[-1]
    await click(harness, told, UNDO_GUIDELINE)
    await read(harness, told, "the rule you added is gone")
    assert harness.rules() == []
    assert problems(harness) == []


async def test_a_taught_rule_names_people_and_holds_no_ids(harness: BotInWorkspace) -> None:
    await harness.asked(harness.ana, f"teach The answer should always thank <@{harness.ben.id}> kindly.")
    assert harness.rules() == ["The answer should always thank @ben kindly."]


@pytest.mark.parametrize("words_before", ["", "politeness "])
async def test_who_is_not_in_the_channel_learns_of_no_judge_by_teaching(
    harness: BotInWorkspace, words_before: str
) -> None:
    cleo = harness.workspace.add_user("cleo")
    lounge = harness.workspace.add_channel("lounge", members=[cleo.id])
    command = harness.slack.interactions.command(
        cleo.id, lounge.id, "/memalign", f"teach {words_before}{RULE}"
    )
    answer = await harness.ephemeral_answer(command, cleo)
    assert "You are in no channel where a judge works" in answer
    assert harness.rules() == []


async def test_who_teaches_may_approve_and_is_told_that_more_people_are_needed(tmp_path: Path) -> None:
    memory = {
        "reflection_lm": "local:/extract",
        "embedding_model": "local:/wordllama",
        "approval": "manual",
        "min_people": 2,
    }
    async with bot_in_workspace(tmp_path, memory=memory) as harness:
        (answer,) = await harness.asked(harness.ana, f"teach {RULE}")
        assert "Not used yet: more people have to say so." in answer
        assert (the_rule(harness).approved_by, the_rule(harness).lacks) == (harness.ana.id, ("people",))


async def test_nobody_else_decides_where_somebody_is_named(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, access={"manage": ["U0000000002"]}) as harness:
        assert harness.ben.id == "U0000000002"
        card = await taught(harness)
        sentence = "Only Ben Okafor may change the guidelines of politeness; please ask."
        assert (await harness.asked(harness.ana, f"teach {BETTER}")) == [sentence]
        for action in (RETIRE_GUIDELINE, APPROVE_GUIDELINE, EDIT_GUIDELINE):
            assert await harness.ephemeral_answer(harness.press(lesson(harness, card), action)) == sentence
        listed = await the_list(harness)
        await choose(harness, listed, RULE, PIN_GUIDELINE)
        assert RULE in await read(harness, listed, sentence)
        rule = the_rule(harness)
        assert (rule.text, rule.retired, rule.pinned, rule.approved_by) == (RULE, False, False, "")
        await harness.ephemeral_answer(
            harness.press(lesson(harness, card), RETIRE_GUIDELINE, harness.ben), harness.ben
        )
        assert the_rule(harness).retired


# --- restarts


async def test_a_decision_that_was_stored_is_carried_out_by_the_next_run(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        await taught(harness)
        await harness.bot.database.guideline_requests.put(
            GuidelineRequest(
                request_id="press",
                action="retire",
                person=harness.ana.id,
                judge=JUDGE,
                guideline_id=the_rule(harness).id,
            )
        )
    async with bot_in_workspace(tmp_path, workspace=harness.workspace) as again:
        await again.until(lambda: again.slack.ephemerals)
        assert "I no longer use" in words(again.slack.ephemerals[-1].blocks)
        assert the_rule(again).retired
        assert await again.bot.database.guideline_requests.unfinished() == []


async def test_decisions_outlive_a_restart(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        await taught(harness)
        listed = await the_list(harness)
        await choose(harness, listed, RULE, EDIT_GUIDELINE)
        await save(harness, harness.ana, BETTER)
        await read(harness, listed, "Now it says")
        await choose(harness, listed, "*1.*", PIN_GUIDELINE)
        await read(harness, listed, "Pinned")
    async with bot_in_workspace(tmp_path, workspace=harness.workspace) as again:
        answer = now(again, await the_list(again))
        assert f"{BETTER} _Pinned" in answer
        await choose(again, again.slack.ephemerals[-1], BETTER, RETIRE_GUIDELINE)
        await again.until(lambda: the_rule(again).retired or None)


async def test_a_guideline_in_doubt_stands_first_in_the_list_and_is_used_again_once_somebody_says_so(
    harness: BotInWorkspace,
) -> None:
    await taught(harness)
    rule = the_rule(harness)
    await harness.bot.guidelines.approve(JUDGE, rule.id, harness.ben.id)
    await harness.bot.guidelines.add(JUDGE, BETTER, harness.ben.id)
    cases = [a_vote_against(f"case-{number}", rule.id) for number in range(5)]
    await harness.bot.memories[JUDGE].learn(cases)

    listed = await the_list(harness)
    told = now(harness, listed)
    assert told.index(RULE) < told.index(BETTER)
    assert "Not used for now: 5 of 5 votes were against verdicts that rested on it." in told
    assert harness.bot.memories[JUDGE].state.guideline(rule.id).state == "pending"

    await choose(harness, listed, RULE, APPROVE_GUIDELINE)
    await read(harness, listed, f"Approved: “{RULE}” {KEPT}")
    assert harness.bot.memories[JUDGE].state.guideline(rule.id).in_use
