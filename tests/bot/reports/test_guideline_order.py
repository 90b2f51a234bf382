"""Guidelines in doubt come first wherever people read guidelines, and are counted in the digest."""

from dataclasses import replace

from bot.blocks.digest_rules import doubt_line
from bot.blocks.guideline_list import guidelines_message
from bot.guideline_page import GuidelineEntry, GuidelineQuery, page_of
from bot.plain_text import guideline_state
from bot.reports.export import guideline_line
from bot.reports.guideline_order import by_record
from memalign.records import GuidelineRecord, Handling
from tests.bot.bot_in_workspace import words
from tests.factories import a_guideline

PLAIN, ALSO_PLAIN = a_guideline("Be kind."), a_guideline("Be brief.")
GOOD = replace(a_guideline("Greet people."), record=GuidelineRecord(up=9, down=1))
POOR = replace(a_guideline("Never greet people."), record=GuidelineRecord(up=4, down=5))
DOUBTFUL = replace(
    a_guideline("Send people away."),
    record=GuidelineRecord(up=1, down=6),
    doubtful=True,
    lacks=("agreement",),
)


def test_guidelines_are_read_by_their_record_and_those_in_doubt_first() -> None:
    rules = [POOR, PLAIN, ALSO_PLAIN, DOUBTFUL, GOOD]

    assert by_record(rules) == [DOUBTFUL, GOOD, PLAIN, ALSO_PLAIN, POOR]
    retired = replace(DOUBTFUL, retired_by=Handling(person="zoe"))
    assert by_record([PLAIN, retired]) == [PLAIN, retired]


def test_the_digest_has_a_line_on_guidelines_in_doubt_and_none_without() -> None:
    assert doubt_line([PLAIN, GOOD]) == ""
    assert doubt_line([PLAIN, DOUBTFUL]).startswith("1 guideline is in doubt: most votes were against")
    assert "lists them first" in doubt_line([DOUBTFUL, DOUBTFUL])


def test_the_export_of_a_guideline_in_doubt_has_its_state_and_its_votes() -> None:
    line = guideline_line("politeness", DOUBTFUL)

    assert (line["state"], line["doubtful"], line["votes"]) == ("pending", True, {"up": 1, "down": 6})
    assert "record" not in line


def test_a_guideline_in_doubt_whose_votes_are_not_known_tells_no_number() -> None:
    earlier = replace(DOUBTFUL, record=GuidelineRecord())
    assert guideline_state(earlier) == "Not used for now: most votes were against verdicts that rested on it."


def test_the_list_tells_how_many_votes_agreed() -> None:
    entry = GuidelineEntry(number=1, rule=GOOD)
    page = page_of([entry], GuidelineQuery(judge="politeness"), 0)

    assert "9 of 10 votes agreed" in words(guidelines_message(page).blocks)
    assert "agreed" not in words(
        guidelines_message(page_of([replace(entry, rule=PLAIN)], page.query, 0)).blocks
    )
