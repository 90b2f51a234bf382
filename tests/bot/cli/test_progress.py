import pytest

from bot.cli.progress import line_count


def test_lines_of_an_unknown_number_are_told_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    with line_count("converting", lines_per_report=2) as advance:
        for _ in range(5):
            advance()

    assert capsys.readouterr().err == "converting: 2 lines\nconverting: 4 lines\n"
