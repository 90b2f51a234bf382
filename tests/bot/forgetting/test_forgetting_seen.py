"""Forgetting as people see it afterwards: the note, the links, the message to the person, the list."""

import json
import re
from argparse import Namespace
from pathlib import Path

import pytest

from bot.cli.reading import export
from memalign.errors import SettingsError
from tests.bot.bot_in_workspace import bot_in_workspace, words


async def test_the_note_says_when_and_by_whom_and_the_links_lead_to_the_replies(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show()
        harness.react(card, "-1")
        ts = harness.reply(card, "An answer should never send people away.")
        await harness.learned()
        [answer] = await harness.asked(harness.ben, "forget tr-1 --yes")
        assert "These replies are still in Slack" in answer
        assert re.findall(r"/p(\d+)", answer) == [ts.replace(".", "")]
        note = await harness.until(
            lambda: (
                text
                if "Forgotten on" in (text := harness.workspace.message(card.channel, card.ts).text)
                else None
            )
        )
        assert "by Ben Okafor" in note
        assert "hash" in note
        assert "their authors can delete them" in note
        assert all("together with the card" in text or "Taken back" in text for text in harness.thread(card))
        [past] = await harness.asked(harness.ana, "forgotten")
        assert "trace" in past
        assert "tr-1" in past
        assert "by Ben Okafor" in past


async def test_somebody_whose_words_another_had_forgotten_is_told_by_a_direct_message(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path, access={"forget": ["U0000000002"]}) as harness:
        assert harness.ben.id == "U0000000002"
        card = await harness.show()
        harness.react(card, "-1")
        await harness.learned()
        await harness.asked(harness.ben, f"forget --person <@{harness.ana.id}> --yes")
        direct = harness.workspace.direct_message(harness.ana.id)
        told = await harness.until(lambda: harness.workspace.messages(direct.id))
        assert "Ben Okafor asked me to forget everything you've said" in words(told[0].blocks, told[0].text)
        harness.react(card, "+1")
        await harness.learned()
        await harness.asked(harness.ana, "forget --person me --yes")
        await harness.learned()
        assert len(harness.workspace.messages(direct.id)) == 1


async def test_nobody_erases_anothers_words_unless_they_are_named(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show()
        harness.react(card, "-1")
        await harness.learned()
        [answer] = await harness.asked(harness.ben, f"forget --person <@{harness.ana.id}> --yes")
        assert "Nobody is named in the settings" in answer
        assert harness.workspace.messages(harness.workspace.direct_message(harness.ana.id).id) == []


async def test_a_person_reads_all_that_is_held_about_them_and_nothing_of_others(tmp_path: Path) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        assert "no votes and no words of yours" in (await harness.asked(harness.ana, "mine"))[0]
        card = await harness.show()
        harness.react(card, "-1")
        harness.reply(card, "An answer should never send people away.")
        harness.react(card, "-1", by=harness.ben)
        harness.reply(card, "An answer must always offer help.", by=harness.ben)
        await harness.learned()
        mine = "\n".join(await harness.asked(harness.ana, "mine"))
        assert "1 vote, 1 reason, and 1 rule" in mine
        assert "never send people away" in mine
        assert "Can you help me?" in mine
        assert "always offer help" not in mine
        lines = "\n".join(await harness.asked(harness.ana, "mine file"))
        assert '"type": "feedback"' in lines
        assert '"vote": "down"' in lines
        assert '"type": "guideline"' in lines
        assert "always offer help" not in lines
        await harness.asked(harness.ana, "forget --person me --yes")
        assert "no votes and no words of yours" in (await harness.asked(harness.ana, "mine"))[0]


async def test_the_export_of_one_person_holds_no_words_of_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with bot_in_workspace(tmp_path) as harness:
        card = await harness.show()
        for person, words_ in ((harness.ana, "Never send people away."), (harness.ben, "Always offer help.")):
            harness.react(card, "-1", by=person)
            harness.reply(card, words_, by=person)
        await harness.learned()
        (tmp_path / "memalign.toml").write_text(
            '[storage]\npath = "store"\n'
            '[memory]\nreflection_lm = "local:/extract"\nembedding_model = "local:/wordllama"\n'
            f'[[judges]]\nname = "politeness"\nchannel = "{harness.channel.id}"\nmodel = "local:/cases"\n'
            'instructions = "Is it polite? {{ inputs }} {{ outputs }}"\n',
            encoding="utf-8",
        )
        options = {"judge": None, "person": harness.ana.id, "config": tmp_path / "memalign.toml"}
        await export(Namespace(**options, format="jsonl"))
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert {line["type"] for line in lines} == {"feedback", "guideline"}
        assert {line["annotator"] for line in lines if line["type"] == "feedback"} == {harness.ana.id}
        assert "Always offer help" not in json.dumps(lines)
        with pytest.raises(SettingsError, match="JSONL only"):
            await export(Namespace(**options, format="mlflow"))
