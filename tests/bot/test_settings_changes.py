"""A team changes a judge's settings between two starts: nothing that was learned is lost or mixed up."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.blocks.guideline_list import SHOW_GUIDELINES
from bot.sandbox import Message, Workspace
from memalign.errors import SettingsError
from storage.database import Database
from storage.keys import parts_of
from tests.bot.bot_in_workspace import JUDGE, BotInWorkspace, bot_in_workspace, words
from tests.bot.cli.test_cli import SETTINGS, Office, memalign, office, sentence
from tests.bot.listeners.test_guidelines_in_workspace import RULE, taught
from tests.model_server import ModelServer, running_model_server
from tests.secrets import search
from tests.storage.records import NOON_MS, button_event, trace

__all__ = ["office"]
OTHER_WORDS = "Is the answer friendly? Question: {{ inputs }} Answer: {{ outputs }}"
OFFER = (
    f"The judge {JUDGE} has 1 guideline and is no longer in the settings; if it is called tone now, "
    f"run `memalign rename-judge {JUDGE} tone`."
)


def notices(harness: BotInWorkspace) -> list[Message]:
    messages = harness.workspace.messages(harness.channel.id)
    return [message for message in messages if "instructions of" in message.text]


# --- instructions


async def test_changed_instructions_are_told_in_the_channel_once_with_the_guidelines(tmp_path: Path) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        await taught(harness)
    changed = {"instructions": OTHER_WORDS, "title": "Polite"}
    for _ in range(3):
        async with bot_in_workspace(tmp_path, workspace=workspace, judge=changed) as harness:
            await harness.learned()
            (notice,) = await harness.until(lambda: notices(harness))
            assert notice.text == (
                "The instructions of *Polite* were changed. What it has learned stays; "
                "look through the guidelines to see if they still fit."
            )
            assert harness.rules() == [RULE]
            shown = await harness.ephemeral_answer(
                harness.press(notice, SHOW_GUIDELINES, by=harness.ben), harness.ben
            )
            assert RULE in shown
            # what one person asked for is shown to nobody else
            assert RULE not in words(notices(harness)[0].blocks)


async def test_a_judge_that_learned_nothing_and_one_with_the_same_words_are_not_spoken_of(
    tmp_path: Path,
) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace, judges=[{}, {"name": "wit"}]) as harness:
        await taught(harness)
        (learned,) = (name for name, memory in harness.bot.memories.items() if memory.guidelines)
    # both judges show a card of the trace
    changed = [
        {"name": name, **({"title": "Polite"} if name == learned else {"instructions": OTHER_WORDS})}
        for name in (JUDGE, "wit")
    ]
    async with bot_in_workspace(tmp_path, workspace=workspace, judges=changed) as harness:
        await harness.show("tr-9")
        assert notices(harness) == []


# --- value types


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"feedback_value_type": "int"}, 'has 1 case with fail, and takes "int" now: put "bool" back'),
        ({"feedback_value_type": ["pass", "fail"]}, "takes categories now"),
        ({"feedback_value_type": "str"}, 'takes "str" now'),
    ],
)
async def test_a_type_that_does_not_fit_what_was_learned_stops_the_start(
    tmp_path: Path, change: dict[str, object], part: str
) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        await taught(harness)
    with pytest.raises(SettingsError, match="The judge politeness") as refused:
        async with bot_in_workspace(tmp_path, workspace=workspace, judge=change):
            pytest.fail("it started")
    assert part in str(refused.value)
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        assert (harness.rules(), harness.labels()) == ([RULE], {"tr-1": False})


async def test_votes_that_are_still_to_be_learned_from_stop_the_start_too(tmp_path: Path) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        card = await harness.show("tr-1")
        await harness.learned()
    # the vote came while nobody learned: as after a kill
    async with await Database.open(tmp_path / "store") as database:
        stored = await database.verdicts.by_card(card.channel, card.ts)
        assert stored is not None
        event = button_event(harness.ana.id, "up", "1700000000.000100")
        await database.feedback.note(card.channel, card.ts, event)
    with pytest.raises(SettingsError, match='takes "float" now'):
        async with bot_in_workspace(tmp_path, workspace=workspace, judge={"feedback_value_type": "float"}):
            pytest.fail("it started")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"feedback_value_type": "int", "range": [1, 5]}, {"feedback_value_type": "int", "range": [0, 10]}),
        ({"feedback_value_type": "int", "range": [1, 5]}, {"feedback_value_type": "float"}),
        ({"feedback_value_type": ["curt", "kind"]}, {"feedback_value_type": ["curt", "kind", "warm"]}),
        ({"feedback_value_type": ["curt", "kind"]}, {"feedback_value_type": ["kind", "curt"]}),
        ({"feedback_value_type": ["curt", "kind"]}, {"feedback_value_type": "str"}),
    ],
)
async def test_a_wider_type_goes_on_with_what_was_learned(
    tmp_path: Path, before: dict[str, object], after: dict[str, object]
) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace, judge=before) as harness:
        card = await harness.show("tr-1")
        harness.react(card, "+1")
        await harness.learned()
        labels = harness.labels()
        assert labels.keys() == {"tr-1"}
    async with bot_in_workspace(tmp_path, workspace=workspace, judge=after) as harness:
        assert harness.labels() == labels
        await harness.show("tr-2")
        harness.react(card, "+1", by=harness.ben)
        await harness.learned()
        assert harness.labels() == labels


async def test_cards_of_another_type_that_nobody_answered_break_nothing(tmp_path: Path) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        cards = [await harness.show(f"tr-{number}") for number in range(3)]
    rated = {"feedback_value_type": "int", "range": [1, 5]}
    async with bot_in_workspace(tmp_path, workspace=workspace, judge=rated) as harness:
        harness.react(cards[0], "+1")
        harness.reply(cards[0], "The answer should never send people away.")
        await harness.press(cards[1], "vote_down")
        harness.reply(cards[2], "4")
        new = await harness.show("tr-9")
        harness.react(new, "+1")
        await harness.slack.settled()
        await harness.until(lambda: "tr-9" in harness.labels())
        assert [text for text in await harness.asked(harness.ana, "digest") if "error" in text.lower()] == []
        assert [
            text for text in await harness.asked(harness.ana, "why tr-0") if "error" in text.lower()
        ] == []
        assert all(type(label) is int for label in harness.labels().values())
        problems = (await harness.bot.status.read()).troubles
        assert [each for each in problems if "unexpected" in each or "id e-" in each] == []


# --- embedding model


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"embedding_model": "local:/wordllama"}, {"embedding_model": "openai:/served", "embedding_dim": 64}),
        (
            {"embedding_model": "openai:/served", "embedding_dim": 64},
            {"embedding_model": "openai:/served", "embedding_dim": 48},
        ),
        ({"embedding_model": "openai:/served", "embedding_dim": 64}, {"embedding_model": "local:/wordllama"}),
    ],
)
async def test_another_embedding_model_makes_all_vectors_again_while_cards_are_shown(
    tmp_path: Path, before: dict[str, object], after: dict[str, object], served: ModelServer
) -> None:
    workspace, distils = Workspace(), {"reflection_lm": "local:/extract"}
    async with bot_in_workspace(tmp_path, workspace=workspace, memory=distils | before) as harness:
        await taught(harness)
        earlier = await vector_spaces(harness)
    served.embedding_seconds = 0.3
    async with bot_in_workspace(tmp_path, workspace=workspace, memory=distils | after) as harness:
        await harness.show("tr-2")
        await harness.until(lambda: not harness.bot.memories[JUDGE].pending)
        assert (harness.rules(), harness.labels()) == ([RULE], {"tr-1": False})
        await harness.until_async(lambda: has_left(harness, earlier))
        assert len(await vector_spaces(harness)) == 1


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with running_model_server() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        yield server


async def vector_spaces(harness: BotInWorkspace) -> set[tuple[str, ...]]:
    """Model and dimension of the vectors in the store."""
    store = harness.bot.database.store

    def read() -> set[tuple[str, ...]]:
        return {tuple(parts_of(str(each.doc_id))[:2]) for each in store.documents.table("vectors")}

    return await store.read(read)


async def has_left(harness: BotInWorkspace, spaces: set[tuple[str, ...]]) -> bool:
    return spaces.isdisjoint(await vector_spaces(harness))


# --- a judge that the settings name no more


async def test_a_renaming_is_offered_in_log_status_and_check_and_nothing_is_deleted(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    folder = office.folder
    workspace = Workspace()
    async with bot_in_workspace(folder, workspace=workspace) as harness:
        await taught(harness)
    text = (folder / "memalign.toml").read_text()
    (folder / "memalign.toml").write_text(text.replace('"politeness"', '"tone"'))

    checked = await memalign(folder, "check", env=office.env)
    assert f"ok    judge {JUDGE}: {OFFER}" in checked.out.splitlines()
    assert f"- {OFFER}" in (await memalign(folder, "status")).out.splitlines()

    with caplog.at_level(logging.WARNING):
        async with bot_in_workspace(folder, workspace=workspace, judge={"name": "tone"}) as harness:
            assert OFFER in caplog.messages
            assert await harness.tells(OFFER)
            # once the new judge has learned something, it is a judge of its own
            card = await harness.show("tr-2")
            harness.react(card, "-1")
            await harness.learned()
            assert not await harness.tells(OFFER)
    async with await Database.open(folder / "store", read_only=True) as database:
        assert [rule.text for rule in (await database.memories.load(JUDGE)).guidelines] == [RULE]


async def test_a_start_that_is_stopped_and_a_check_say_the_same(office: Office) -> None:
    folder = office.folder
    async with bot_in_workspace(folder) as harness:
        await taught(harness)
    text = (folder / "memalign.toml").read_text()
    (folder / "memalign.toml").write_text(
        text.replace('model = "local:/cases"', 'model = "local:/cases"\nfeedback_value_type = "int"')
    )
    said = sentence(await memalign(folder, "run", env=office.env)).removeprefix("memalign: ")
    assert said.startswith("The judge politeness has 1 case with fail")
    assert (
        f"WRONG judge {JUDGE}: {said}" in (await memalign(folder, "check", env=office.env)).out.splitlines()
    )
    # what the sentence says to do can be done
    assert (await memalign(folder, "rename-judge", JUDGE, f"{JUDGE}-old")).code == 0
    async with bot_in_workspace(folder, judge={"feedback_value_type": "int"}) as harness:
        assert harness.labels() == {}
        # it was put aside on purpose, and does not fit: nobody is asked to rename it back
        assert not await harness.tells("no longer in the settings")


async def test_a_judge_of_another_type_is_no_candidate_and_is_refused(tmp_path: Path) -> None:
    (tmp_path / "memalign.toml").write_text(
        SETTINGS.format(channel="C0000000001", port=0)
        .replace('"politeness"', '"stars"')
        .replace('model = "local:/cases"', 'model = "local:/cases"\nfeedback_value_type = "int"')
    )
    async with bot_in_workspace(tmp_path) as harness:
        await taught(harness)
    assert "rename-judge" not in (await memalign(tmp_path, "status")).out
    line = sentence(await memalign(tmp_path, "rename-judge", JUDGE, "stars"))
    assert line == (
        "memalign: The judge politeness has cases with fail, which stars does not take: "
        "give stars the feedback_value_type of politeness first."
    )


async def test_traces_that_wait_for_a_judge_that_may_be_renamed_go_on_waiting(tmp_path: Path) -> None:
    (tmp_path / "memalign.toml").write_text(
        SETTINGS.format(channel="C0000000001", port=0).replace('"politeness"', '"tone"')
    )
    async with bot_in_workspace(tmp_path) as harness:
        await taught(harness)
        await harness.asked(harness.ana, "pause")
    async with await Database.open(tmp_path / "store") as database:
        waiting = trace("tr-8", inputs={"question": "Can you help me?"}, outputs="Go away.")
        await database.traces.add([(waiting, [JUDGE])], NOON_MS, 100)
    async with bot_in_workspace(tmp_path, judge={"name": "tone"}) as harness:
        await harness.show("tr-9")
        await asyncio.sleep(0.3)
        assert await harness.bot.database.traces.waiting() == 1
    assert (await memalign(tmp_path, "rename-judge", JUDGE, "tone")).code == 0
    async with bot_in_workspace(tmp_path, judge={"name": "tone"}) as harness:
        await harness.asked(harness.ana, "resume")
        await harness.card("tr-8")


@pytest.mark.parametrize("forgotten", ["trace", "person"])
async def test_what_is_forgotten_leaves_a_judge_that_the_settings_name_no_more(
    tmp_path: Path, forgotten: str
) -> None:
    workspace = Workspace()
    async with bot_in_workspace(tmp_path, workspace=workspace) as harness:
        await taught(harness)
        ana = harness.ana.id
    async with bot_in_workspace(tmp_path, workspace=workspace, judge={"name": "tone"}) as harness:
        target = "tr-1" if forgotten == "trace" else f"--person <@{ana}>"
        print(await harness.asked(harness.ana, f"forget {target} --yes"))
    async with await Database.open(tmp_path / "store", read_only=True) as database:
        left = await database.memories.load(JUDGE)
        assert (left.guidelines, dict(left.episodes)) == ((), {})
    assert search(tmp_path / "store", ["never send people away"]).found == ()
