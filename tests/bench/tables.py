"""Tables of `python -m tests.bench`: their lines, and the figures to reach."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Results = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure."""

    row: str
    figure: str
    title: str
    form: str = "{:.2f}"
    factor: float = 1.0
    most: float | None = None
    least: float | None = None
    of_original: float | None = None
    """At most this share of the original's figure."""

    def cell(self, results: Results | None) -> str:
        """The figure as text; a dash where it was not measured or is not defined."""
        return self.form.format(self.value(results)) if results and not self._is_undefined(results) else "-"

    def ratio(self, ours: Results, original: Results | None) -> str:
        """The original's figure in ours, as text; empty where there is none."""
        if not original or self._is_undefined(original) or not self.value(ours) > 0:
            return ""
        return f"{self.value(original) / self.value(ours):.1f}"

    def _is_undefined(self, results: Results) -> bool:
        return math.isnan(self.value(results))

    def value(self, results: Results) -> float:
        """The figure in the unit of its title."""
        return results[self.row][self.figure] * self.factor

    def wanted(self) -> str:
        """Return the figure to reach, in words."""
        if self.of_original is not None:
            return f"≤ {self.of_original:g} of it"
        if self.most is not None:
            return f"≤ {self.most:g}"
        return "" if self.least is None else f"≥ {self.least:g}"

    def reached(self, ours: Results, original: Results | None) -> str:
        """Return yes or NO; empty where nothing is wanted, or nothing is there to compare with."""
        checks: Sequence[tuple[float | None, Callable[[float], bool]]] = (
            (self.most, lambda limit: self.value(ours) <= limit),
            (self.least, lambda limit: self.value(ours) >= limit),
            (
                self.of_original if original else None,
                lambda share: self.value(ours) <= share * self.value(original or ours),
            ),
        )
        passed = [check(limit) for limit, check in checks if limit is not None]
        return "" if not passed else "yes" if all(passed) else "NO"


def _ms(row: str, figure: str, title: str, most: float | None = None) -> Line:
    return Line(row=row, figure=figure, title=f"{title}, ms", factor=1e3, form="{:.1f}", most=most)


def _count(row: str, figure: str, title: str, most: float | None = None) -> Line:
    return Line(row=row, figure=figure, title=title, form="{:,.0f}", most=most)


def _share(row: str, figure: str, title: str, least: float | None = None) -> Line:
    return Line(row=row, figure=figure, title=title, form="{:.3f}", least=least)


MEASURED = [
    _ms("align", "seconds", "align 1,000 from nothing", 600),
    _count("align", "chat", "  chat calls, the comparing of guidelines included", 21),
    Line(row="align", figure="embedding_tokens", title="  embedding tokens", form="{:,.0f}", of_original=0.3),
    _ms("one more at 10", "seconds", "one more feedback at 10", 230),
    _ms("one more at 1,000", "seconds", "one more feedback at 1,000", 230),
    _count("one more at 1,000", "texts", "  texts embedded", 1),
    _count("one more at 1,000", "chat", "  chat calls", 1),
    _ms("verdict", "beyond", "one verdict at 1,000, beyond its two model calls", 15),
    _count("verdict", "tokens", "  input tokens"),
    _count("verdict", "embeddings again", "  embedding calls for a text embedded before", 0),
    _ms("forget", "seconds", "unalign one at 1,000", 5),
    _count("forget", "texts", "  texts embedded", 0),
    _count("forget", "chat", "  chat calls", 0),
    _ms("load", "seconds", "load at 1,000", 100),
    _count("load", "calls", "  calls", 0),
    _ms("load", "to first verdict", "  and judge, beyond the two model calls", 100),
    _ms("many", "seconds", "48 verdicts at once", 400),
    Line(row="import", figure="seconds", title="import, s", most=1.6),
    _count("import", "MB", "  memory after it, MB", 150),
    _count("memory", "peak MB", "  most memory at 1,000, MB", 220),
    Line(row="leaks", figure="threads each", title="threads left by each of 500 aligns", most=0),
    Line(row="leaks", figure="MB each", title="  MB left by each, its one case included", most=0.05),
    _count("faults", "told pending, run 1", "10 % 429, 5 % 500, 10 % malformed: of 1,000 told pending"),
    _count("faults", "rule unknown and not told, run 1", "  rule unknown, not told", 0),
    _count("faults", "in no rule's sources and not told, run 1", "  in no rule's sources, not told", 0),
    _count("faults", "rule unknown and not told, run 2", "  rule unknown after a second run", 0),
    _count("faults", "told pending, run 2", "  told pending after a second run", 0),
]
LEARNED = [
    *(
        _share("growth", f"after {number}", f"accuracy on unseen cases after {number} feedbacks")
        for number in (2, 5, 10, 20, 50, 100, 200)
    ),
    _share("reversal", "on reversed rules", "accuracy on reversed rules", 1),
    _share("reversal", "on the others", "  on the other rules", 1),
    _count("forgetting", "rules that lost all sources", "30 % forgotten: rules that lost all sources"),
    _count("forgetting", "of these shown, summed over steps", "  of these shown, summed over steps", 0),
    _count("forgetting", "of these still applied", "  of these still applied", 0),
    _count(
        "forgetting", "guidelines in forgotten words, summed", "  guidelines in forgotten words, summed", 0
    ),
    _count("forgetting", "rules with a source", "  rules that keep a source"),
    _count("forgetting", "of these standing", "  of these standing"),
    _share("wrong rules", "all good", "100 rules, all good: accuracy"),
    _share("wrong rules", "before", "  a fifth of them wrong"),
    _share("wrong rules", "after five", "  after five votes on verdicts of each"),
    _share("wrong rules", "after ten", "  after ten"),
    Line(row="wrong rules", figure="below all good", title="  below all good", form="{:.3f}", most=0.02),
    _count("wrong rules", "wrong ones used", "  wrong ones in use"),
    _count("wrong rules", "good ones not used", "  good ones not in use", 0),
    _share("people", "accuracy", "three people, one at random, one twice: accuracy"),
    Line(
        row="wordings", figure="guidelines a rule, at once", title="five wordings: guidelines a rule, at once"
    ),
    Line(row="wordings", figure="guidelines a rule, after 20 more", title="  after 20 more, one by one"),
    _share("wordings", "accuracy", "  accuracy"),
    Line(
        row="one by one",
        figure="guidelines a rule",
        title="200 judged and learned one by one: guidelines a rule",
        most=1.2,
    ),
    _share("one by one", "accuracy", "  accuracy"),
    _count("one by one", "tokens a feedback", "  input tokens a lesson"),
    Line(row="one by one", figure="calls a feedback", title="  reflection calls a lesson"),
    _share("pairs", "precision, code alone", "200 pairs of guidelines, code alone: precision of unions", 1),
    _share("pairs", "recall, code alone", "  recall"),
    _share("pairs", "precision, at once", "  with the model, at once: precision", 0.95),
    _share("pairs", "recall, at once", "  recall"),
    _share("pairs", "precision, after 25 more", "  after 25 more rules, one by one: precision", 0.95),
    _share("pairs", "recall, after 25 more", "  recall", 0.95),
    _count("pairs", "united across pairs", "  guidelines that unite two pairs", 0),
    _count("budget", "guidelines", "300 rules, 1,500 feedbacks: guidelines"),
    _share("budget", "accuracy", "  accuracy"),
    _count("budget", "tokens a verdict", "  input tokens a verdict"),
    _share("room", "accuracy, all", "300 rules, room for all: accuracy"),
    _share("room", "accuracy, 2,000 tokens", "  room of 2,000 tokens: accuracy"),
    Line(row="room", figure="lost", title="  lost", form="{:.3f}", most=0.06),
    _count("room", "tokens a verdict, 2,000 tokens", "  input tokens a verdict"),
    _share("contrast", "on fails, with", "400 labels without reasons, 86 % passes: recall on fails"),
    _share("contrast", "on fails, without", "  without the case of another label"),
    _share("contrast", "gained on fails", "  gained by it", 0.1),
    _share("contrast", "on passes, with", "  recall on passes"),
    Line(row="contrast", figure="lost on passes", title="  lost by it", form="{:.3f}", most=0.01),
    _share(
        "precedents", "relevant", "one long text given in 1,000 cases: relevant share of those shown", 0.7
    ),
    _share("precedents", "best relevant", "  best one relevant"),
    _share("own texts", "relevant", "a text of its own given in each: relevant share of those shown", 0.7),
    _share("own texts", "best relevant", "  best one relevant"),
    Line(row="copies", figure="different", title="200 cases stored eight times each: different ones shown"),
    _share("copies", "share", "  share of those shown", 1),
    _share("failures", "share learned", "20 % of distillations fail: share of feedback learned"),
    _count("failures", "told pending at the end", "  told pending"),
    _share("failures", "share learned, run again", "  share learned when run again", 1),
]


def missed(lines: Sequence[Line], results: Mapping[str, Results]) -> list[str]:
    """Return the titles of the figures that are not reached."""
    ours, original = results["ours"], results.get("original")
    return [line.title.strip() for line in lines if line.reached(ours, original) == "NO"]


def table(lines: Sequence[Line], results: Mapping[str, Results]) -> str:
    """Render a table: title, the original where it was measured, ours, their ratio, the figure to reach, the result."""
    ours, original = results["ours"], results.get("original")
    rows = [["", "original", "ours", "ratio", "wanted", "reached"]]
    for line in lines:
        cells = [line.cell(original), line.cell(ours), line.ratio(ours, original)]
        cells += [line.wanted(), line.reached(ours, original)]
        rows.append([line.title, *cells])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
