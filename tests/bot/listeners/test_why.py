"""The explanation of a verdict: the button *Why?*, the command, and the words on evidence that changed meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.blocks.guideline_buttons import RETIRE_GUIDELINE
from bot.blocks.why import THIS_IS_WRONG, WHY, WRONG_CASE, WRONG_GUIDELINE
from bot.sandbox import User, Workspace
from bot.sandbox.workspace.records import Message, Payload, View
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace, words
from tests.model_server import ModelServer, running_model_server

RULE = "The answer should never send people away."
SECOND_RULE = "The answer should name a next step."
REMOTE = {"model": "openai:/m"}
LOCAL_MEMORY = {"reflection_lm": "local:/extract", "embedding_model": "local:/wordllama"}
MANY = {"name": "clarity", "instructions": "Is it clear? Question: {{ inputs }} Answer: {{ outputs }}"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with running_model_server() as running:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        yield running


async def taught(
    harness: BotInWorkspace, trace_id: str = "tr-1", rule: str = RULE, question: str = "Can you help me?"
) -> Message:
    """Let Ana teach the judge by one case."""
    await harness.send({"trace_id": trace_id, "inputs": {"question": question}, "outputs": "Go away."})
    card = await harness.card(trace_id)
    harness.react(card, "-1")
    harness.reply(card, rule)
    await harness.learned()
    assert rule in harness.rules()
    return card


def views(harness: BotInWorkspace, user: User | None = None) -> list[View]:
    return harness.workspace.person_views.modals((user or harness.ana).id)


async def opened(harness: BotInWorkspace, count: int = 1, user: User | None = None) -> View:
    """Wait for so many modals, one upon the other; the last one."""
    return (
        await harness.until(lambda: views(harness, user) if len(views(harness, user)) == count else None)
    )[-1]


async def asked_why(harness: BotInWorkspace, trace_id: str, user: User | None = None) -> str:
    """Press Why? on a card; the words of the modal."""
    await harness.press(await harness.card(trace_id), WHY, user)
    return words((await opened(harness, user=user)).content["blocks"])


def values(view: View, action_id: str) -> list[str]:
    """The values of a modal's buttons of one kind."""
    accessories: list[Payload] = [
        block["accessory"] for block in view.content["blocks"] if "accessory" in block
    ]
    return [each["value"] for each in accessories if each["action_id"] == action_id]


def block_of(view: View, value: str) -> Payload:
    block: Payload
    (block,) = [one for one in view.content["blocks"] if one.get("accessory", {}).get("value") == value]
    return block


async def test_the_button_shows_the_cases_that_decided(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await taught(harness)
        await harness.show("tr-2")
        text = await asked_why(harness, "tr-2")
        assert "Can you help me?" in text
        assert "people say fail ❌" in text
        assert "without a language model, from 1 labelled case." in text
        assert f"/archives/{card.channel}/p{card.ts.replace('.', '')}|Open the card>" in text


@pytest.mark.usefixtures("server")
async def test_a_judge_with_a_language_model_shows_its_guidelines_by_number_author_and_cases(
    tmp_path: Path,
) -> None:
    async with bot_in_workspace(tmp_path, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        await taught(harness)
        await taught(harness, "tr-2", SECOND_RULE, "Where is the parcel that I ordered last week?")
        await harness.show("tr-3")
        text = await asked_why(harness, "tr-3")
        said = text.splitlines()
        numbered = {line.partition(" ")[2]: line.partition(" ")[0] for line in said if line.startswith("*")}
        assert {numbered[RULE], numbered[SECOND_RULE]} == {"*1.*", "*2.*"}
        assert said.count("from Ana Ruiz · 1 case") == 2
        assert "by m, with 2 guidelines and 2 cases in memory." in text
        assert [line for line in said if line.startswith("*") and ".*" not in line] == [
            *("*Guidelines that led it*", "*1 more guideline it was shown*"),
            *("*Similar cases that led it*", "*1 more case it was shown*, most similar first"),
        ]
        assert text.count("people say pass ✅") == 2


@pytest.mark.usefixtures("server")
async def test_a_case_keeps_which_guidelines_led_the_verdict_that_people_answered(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        await taught(harness)
        (rule,) = harness.bot.memories[JUDGE].guidelines
        harness.react(await harness.show("tr-2"), "+1")
        await harness.until(lambda: len(harness.labels()) == 2)
        verdicts = {name: each.verdict for name, each in harness.bot.memories[JUDGE].episodes.items()}
        assert {name: each.guideline_ids for name, each in verdicts.items() if each} == {
            "tr-1": (),
            "tr-2": (rule.id,),
        }


@pytest.mark.usefixtures("server")
async def test_an_edited_guideline_is_told_as_reworded_and_once_undone_not(
    tmp_path: Path,
) -> None:
    async with bot_in_workspace(tmp_path, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        await taught(harness)
        await harness.show("tr-2")
        memory = harness.bot.memories[JUDGE]
        (rule,) = memory.guidelines
        await memory.editor.edit(rule.id, "Never send anybody away.", harness.ana.id)
        (answer,) = await harness.asked(harness.ana, "why tr-2")
        assert "Never send anybody away." in answer
        text = await asked_why(harness, "tr-2")
        assert "Reworded since" in text

        await harness.show("tr-3")
        (verdict,) = await harness.bot.database.verdicts.of_trace("tr-3")
        assert len(verdict.verdict.guideline_wordings) == 1
        await harness.slack.modals.close(harness.ana.id, (await opened(harness)).id)
        assert "Reworded since" not in await asked_why(harness, "tr-3")

        await memory.editor.undo(rule.id, harness.ana.id)
        for trace_id, is_reworded in (("tr-2", False), ("tr-3", True)):
            await harness.slack.modals.close(harness.ana.id, (await opened(harness)).id)
            assert ("Reworded since" in await asked_why(harness, trace_id)) is is_reworded


@pytest.mark.usefixtures("server")
async def test_a_retired_guideline_stays_in_the_evidence_and_is_told_as_out_of_use(
    tmp_path: Path,
) -> None:
    async with bot_in_workspace(tmp_path, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        await taught(harness)
        await harness.show("tr-2")
        memory = harness.bot.memories[JUDGE]
        await memory.editor.retire(memory.guidelines[0].id, harness.ana.id)
        text = await asked_why(harness, "tr-2")
        assert f"*1.* {RULE} _Out of use: somebody retired it._" in text


@pytest.mark.usefixtures("server")
async def test_what_is_forgotten_is_counted_and_not_shown(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        await taught(harness)
        await harness.show("tr-2")
        assert RULE in await asked_why(harness, "tr-2")
        await harness.slack.modals.close(harness.ana.id, (await opened(harness)).id)
        await harness.asked(harness.ana, "forget tr-1 --yes")
        await harness.until(lambda: not harness.rules())
        text = await asked_why(harness, "tr-2")
        assert RULE not in text
        assert "1 guideline that led it is gone." in text
        assert "1 case that led it has since been forgotten." in text
        assert "named none" not in text


async def test_a_case_whose_votes_are_taken_back_shows_no_label(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await taught(harness)
        await harness.show("tr-2")
        harness.unreact(card, "-1")
        await harness.until(lambda: not harness.labels())
        text = await asked_why(harness, "tr-2")
        assert "the votes on it were taken back" in text
        assert "people say" not in text


async def test_a_verdict_forgotten_while_its_modal_is_open_is_no_longer_explained(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        await taught(harness)
        card = await harness.show("tr-2")
        await harness.press(card, WHY)
        view = await opened(harness)
        (case,) = values(view, WRONG_CASE)
        await harness.asked(harness.ana, "forget tr-1 --yes")
        await harness.until(lambda: not harness.labels())
        await harness.slack.interactions.view_click(harness.ana.id, view.id, WRONG_CASE, case)
        assert "it was forgotten" in words((await opened(harness, 2)).content["blocks"])


async def wrong_case(harness: BotInWorkspace, user: User, trace_id: str = "tr-2") -> View:
    """Open Why? on a card, and press "This one is wrong" on its case; the modal that asks."""
    await harness.press(await harness.card(trace_id), WHY, user)
    view = await opened(harness, user=user)
    (case,) = values(view, WRONG_CASE)
    assert THIS_IS_WRONG in words([block_of(view, case)])
    await harness.slack.interactions.view_click(user.id, view.id, WRONG_CASE, case)
    return await opened(harness, 2, user)


@pytest.mark.parametrize("thumb", ["-1", "+1"])
async def test_this_one_is_wrong_gives_a_case_the_other_value_than_people_did(
    tmp_path: Path, thumb: str
) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show("tr-1")
        harness.react(card, thumb)
        await harness.learned()
        (label,) = harness.labels().values()
        await harness.show("tr-2")
        correction = await wrong_case(harness, harness.ben)
        text = words(correction.content["blocks"])
        assert f"People say *{'pass ✅' if label else 'fail ❌'}*. What should it be?" in text
        assert "Can you help me?" in text
        await harness.slack.modals.submit(harness.ben.id, correction.id, {"reason": SECOND_RULE})
        await harness.learned()
        said = (await harness.feedback(card))["ben"]
        assert (said.value, said.rationale) == (not label, SECOND_RULE)
        assert len(views(harness, harness.ben)) == 1


async def test_a_case_with_more_values_asks_for_one_of_the_others(tmp_path: Path) -> None:
    rating = {"feedback_value_type": "int", "range": [1, 5]}
    async with bot_in_workspace(tmp_path, judge=rating) as harness:
        card = await harness.show("tr-1")
        harness.react(card, "-1")
        harness.reply(card, f"2 because {RULE}")
        await harness.learned()
        assert harness.labels() == {"tr-1": 2}
        await harness.show("tr-2")
        correction = await wrong_case(harness, harness.ben)
        assert "People say *2*. What should it be?" in words(correction.content["blocks"])
        await harness.slack.modals.submit(
            harness.ben.id, correction.id, {"value": "4", "reason": SECOND_RULE}
        )
        await harness.learned()
        assert (await harness.feedback(card))["ben"].value == 4


async def test_a_correction_of_a_case_after_leaving_the_channel_stores_nothing(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await taught(harness)
        await harness.show("tr-2")
        correction = await wrong_case(harness, harness.ben)
        harness.workspace.leave(harness.ben.id, harness.channel.id)
        answer = await harness.slack.modals.submit(harness.ben.id, correction.id, {"reason": SECOND_RULE})
        assert "card's channel" in str(answer)
        assert "ben" not in await harness.feedback(card)


async def test_why_opens_on_top_of_show_everything(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show("tr-1", "word " * 2000)
        await harness.press(card, "show_all")
        whole = await opened(harness)
        await harness.slack.interactions.view_click(harness.ana.id, whole.id, WHY)
        why = await opened(harness, 2)
        assert "Can you help me?" in words(why.content["blocks"])
        await harness.slack.modals.close(harness.ana.id, why.id)
        assert [each.id for each in views(harness)] == [whole.id]


async def test_a_guest_sees_the_evidence_and_corrects_no_case(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        guest = harness.workspace.add_user("mallory", real_name="Mallory", is_restricted=True)
        harness.workspace.join(guest.id, harness.channel.id)
        card = await taught(harness)
        await harness.press(await harness.show("tr-2"), WHY, guest)
        view = await opened(harness, user=guest)
        (case,) = values(view, WRONG_CASE)
        await harness.slack.interactions.view_click(guest.id, view.id, WRONG_CASE, case)
        assert "only members of this workspace" in words((await opened(harness, 2, guest)).content["blocks"])
        assert "mallory" not in await harness.feedback(card)


async def test_the_command_explains_the_verdict_of_each_judge_by_id_and_by_link(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, judges=[{}, MANY]) as harness:
        await harness.show("tr-1")
        await harness.until_async(lambda: _has_verdicts(harness, "tr-1", 2))
        card = await harness.card("tr-1")
        link = f"https://x.slack.com/archives/{card.channel}/p{card.ts.replace('.', '')}"
        for reference in ("tr-1", "`tr-1`", f"<{link}>"):
            answers = await harness.asked(harness.ana, f"why {reference}")
            text = "\n".join(answers)
            assert "· Politeness" in text
            assert "· Clarity" in text
            assert text.count("Judged on") == 2


async def _has_verdicts(harness: BotInWorkspace, trace_id: str, count: int) -> bool:
    return len(await harness.bot.database.verdicts.of_trace(trace_id)) == count


async def test_the_command_names_only_judges_whose_channel_the_person_is_in(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        outsider = harness.workspace.add_user("olga", real_name="Olga")
        await taught(harness)
        place = harness.workspace.direct_message(outsider.id).id
        for reference in ("tr-1", "tr-unknown"):
            command = harness.slack.interactions.command(outsider.id, place, "/memalign", f"why {reference}")
            answer = await harness.ephemeral_answer(command, outsider)
            assert answer == (
                f"I have no verdict to explain on a trace “{reference}” in your channels. "
                "Copy its id from the card, or give me a link to the card."
            )


async def test_the_command_without_a_trace_asks_which(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        (answer,) = await harness.asked(harness.ana, "why")
        assert "Which trace?" in answer


async def test_the_short_answer_opens_the_whole(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        await taught(harness)
        await harness.show("tr-2")
        await harness.asked(harness.ana, "why tr-2")
        short = harness.slack.ephemerals[-1]
        await harness.slack.interactions.click(harness.ana.id, harness.channel.id, short.ts, WHY)
        assert values(await opened(harness), WRONG_CASE)


async def test_a_question_in_the_thread_gets_the_evidence_privately(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        await taught(harness)
        card = await harness.show("tr-2")
        answer = await harness.ephemeral_answer(_ask(harness, card, harness.ben), harness.ben)
        assert "people say fail ❌" in answer
        short = harness.slack.ephemerals[-1]
        assert short.thread_ts == card.ts
        await harness.slack.interactions.click(harness.ben.id, card.channel, short.ts, WHY)
        assert values(await opened(harness, user=harness.ben), WRONG_CASE)
        assert list(harness.labels()) == ["tr-1"]


async def test_a_question_in_a_channel_that_the_judge_has_left_is_answered_by_the_verdict_alone(
    tmp_path: Path,
) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        await taught(harness)
        card = await harness.show("tr-2")
        await harness.feedback(card)
    elsewhere = workspace.add_channel("politeness-new", members=[harness.ana.id])
    async with bot_in_workspace(tmp_path, workspace=workspace, judge={"channel": elsewhere.id}) as harness:
        answer = await harness.ephemeral_answer(_ask(harness, card, harness.ben), harness.ben)
        assert "The judge said *fail ❌*" in answer or "The judge said *pass ✅*" in answer
        assert "people say" not in answer


async def _ask(harness: BotInWorkspace, card: Message, user: User) -> None:
    harness.reply(card, "Why did the judge say that?", by=user)


async def wrong_guideline(harness: BotInWorkspace, user: User, trace_id: str = "tr-2") -> View:
    """Open Why? on a card, and press "This one is wrong" on its guideline; the modal on top."""
    await harness.press(await harness.card(trace_id), WHY, user)
    view = await opened(harness, user=user)
    (rule,) = values(view, WRONG_GUIDELINE)
    await harness.slack.interactions.view_click(user.id, view.id, WRONG_GUIDELINE, rule)
    return await opened(harness, 2, user)


@pytest.mark.usefixtures("server")
async def test_this_one_is_wrong_on_a_guideline_lets_a_person_reword_it(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        await taught(harness)
        await harness.show("tr-2")
        view = await wrong_guideline(harness, harness.ben)
        await harness.slack.modals.submit(harness.ben.id, view.id, {"rule": SECOND_RULE})
        await harness.until(lambda: harness.rules() == [SECOND_RULE])
        assert "Reworded since" in await asked_why(harness, "tr-2")


@pytest.mark.usefixtures("server")
async def test_this_one_is_wrong_on_a_guideline_lets_a_person_take_it_out_of_use(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, judge=REMOTE, memory=LOCAL_MEMORY) as harness:
        await taught(harness)
        await harness.show("tr-2")
        view = await wrong_guideline(harness, harness.ben)
        await harness.slack.interactions.view_click(harness.ben.id, view.id, RETIRE_GUIDELINE)
        memory = harness.bot.memories[JUDGE]
        await harness.until(lambda: memory.guidelines[0].retired)
        text = await asked_why(harness, "tr-2")
        assert f"*1.* {RULE} _Out of use: somebody retired it._" in text
        assert values(views(harness)[-1], WRONG_GUIDELINE) == []


@pytest.mark.usefixtures("server")
async def test_who_may_not_manage_is_told_so_and_changes_no_guideline(tmp_path: Path) -> None:
    access = {"manage": ["U0NOBODY"]}
    async with bot_in_workspace(tmp_path, judge=REMOTE, memory=LOCAL_MEMORY, access=access) as harness:
        await taught(harness)
        await harness.show("tr-2")
        view = await wrong_guideline(harness, harness.ben)
        assert "may change the guidelines" in words(view.content["blocks"])
        assert "submit" not in view.content
        assert harness.rules() == [RULE]
