"""The words of `/memalign forget …`, read."""

import pytest

from bot.listeners.forget_command import ForgetCommand, person_of


@pytest.mark.parametrize(
    ("text", "reference", "options"),
    [
        ("", "", set()),
        ("tr-1", "tr-1", set()),
        ("tr-1 --yes", "tr-1", {"yes"}),
        ("--yes tr-1", "tr-1", {"yes"}),
        ("tr-1 —yes", "tr-1", {"yes"}),
        ("--yes", "", {"yes"}),
        ("two  blanks --yes", "two  blanks", {"yes"}),
        ("--person <@U1> --yes", "<@U1>", {"person", "yes"}),
        ("–person –yes me", "me", {"person", "yes"}),
        ("--yesterday", "--yesterday", set()),
        ("run--yes", "run--yes", set()),
        ("tr --yes 1", "tr --yes 1", set()),
    ],
)
def test_options_are_taken_off_both_ends(text: str, reference: str, options: set[str]) -> None:
    command = ForgetCommand.readings(text)[-1]
    assert (command.reference, set(command.options)) == (reference, options)
    assert (command.is_confirmed, command.is_for_person) == ("yes" in options, "person" in options)


def test_options_are_taken_off_one_by_one_the_last_first() -> None:
    assert [reading.reference for reading in ForgetCommand.readings("--yes --yes --yes")] == [
        "--yes --yes --yes",
        "--yes --yes",
        "--yes",
        "",
    ]
    assert ForgetCommand.readings("--person me --yes")[1].reference == "--person me"


@pytest.mark.parametrize(
    ("word", "person"),
    [
        ("<@U0123ABC>", "U0123ABC"),
        ("<@W0123ABC|ana>", "W0123ABC"),
        ("@U0123ABC", "U0123ABC"),
        (" U0123ABC ", "U0123ABC"),
        ("me", "U0ASKING"),
        ("@ana", None),
        ("tr-1", None),
        ("", None),
    ],
)
def test_a_person_is_named_by_mention_or_id(word: str, person: str | None) -> None:
    assert person_of(word, "U0ASKING") == person
