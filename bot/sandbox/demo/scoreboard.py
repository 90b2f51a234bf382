"""The outcome of a replay as meters and a table, for the page and for a terminal."""

from bot.sandbox.demo.replay import Outcome, Score
from bot.sandbox.workspace.records import Payload

COLUMNS = ["judge", "agrees with people", "agreement", "Cohen's kappa"]


def meters(cases: int, guidelines: int, outcome: Outcome) -> list[Payload]:
    """Render the numbers at the top of the page."""
    n = outcome.after.n
    return [
        {"label": "Cases remembered", "value": str(cases), "hint": "answers that people voted on"},
        {"label": "Guidelines", "value": str(guidelines), "hint": "made of people's reasons"},
        {
            "label": "Agreement at first",
            "value": f"{outcome.before.agreement:.0%}",
            "hint": f"with people, on {n} answers that it never learns from",
        },
        {
            "label": "Agreement now",
            "value": f"{outcome.after.agreement:.0%}",
            "hint": f"on the same {n} answers, with what it has learned",
        },
    ]


def _rows(outcome: Outcome) -> list[list[str]]:
    scores = (
        ("before", outcome.before),
        ("after", outcome.after),
        ("a judge that passes all", outcome.always_pass),
    )
    return [
        [name, f"{score.agreed} of {score.n}", f"{score.agreement:.1%}", _kappa(score)]
        for name, score in scores
    ]


def _note(outcome: Outcome) -> str:
    left_out = f" and {outcome.left_out} left out as forgotten" if outcome.left_out else ""
    return (
        f"{outcome.answered} traces answered{left_out}, {outcome.guidelines} guidelines. "
        f"Measured on {outcome.after.n} other "
        "traces, the same before and after; nothing was learned from what people said of these."
    )


def table(outcome: Outcome) -> Payload:
    """Render the table of before and after for the page."""
    return {"title": "Before and after", "columns": COLUMNS, "rows": _rows(outcome), "note": _note(outcome)}


def table_text(outcome: Outcome) -> str:
    """Render the table of before and after for a terminal."""
    rows = [COLUMNS, *_rows(outcome)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:], "", _note(outcome)])


def in_words(score: Score) -> str:
    """Render a score in one line."""
    return f"agreement {score.agreement:.1%} on {score.n} other traces, kappa {_kappa(score)}"


def _kappa(score: Score) -> str:
    return "none (one class only)" if score.kappa is None else f"{score.kappa:.2f}"
