"""A verdict as cards and modals show it, and the small print below it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.blocks.blind_card import YOUR_VIEW_FIRST, answer_hint
from bot.blocks.earlier_answers import EarlierAnswers
from bot.blocks.left_out import left_out_line
from bot.blocks.mrkdwn import escape, escape_address, escape_name, format_verdict
from bot.blocks.selection import SELECTION_WORDS
from bot.plain_text import capitalised, format_label_plain, pluralise
from bot.redaction.redactor import is_redacted
from memalign.judge import Judge
from memalign.models.local.explanations import NO_LANGUAGE_MODEL
from memalign.records import Trace, Verdict
from storage.records import StoredVerdict

REDACTED = "personal data removed"
OFFLINE_MODEL = "offline model, no language model"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardVerdict:
    """A verdict as a card shows it: with its judge, and the title by which people know that judge."""

    stored: StoredVerdict
    judge: Judge
    title: str
    earlier_answers: EarlierAnswers | None = None
    """The answers that people gave before its card showed it; None of a card that did not ask first."""

    @property
    def is_hidden(self) -> bool:
        """True while nothing that a person sees may tell of the verdict."""
        return self.stored.is_hidden

    @property
    def headline(self) -> str:
        """The verdict and the judge in one line, escaped."""
        if self.is_hidden:
            return f"*{YOUR_VIEW_FIRST}* · {escape_name(self.title, 150)}"
        return f"{format_verdict(self.stored.verdict.value)} · {escape_name(self.title, 150)}"

    @property
    def words(self) -> str:
        """The same without marks, for notifications; not escaped."""
        if self.is_hidden:
            return f"{YOUR_VIEW_FIRST} · {self.title}"
        return f"{capitalised(format_label_plain(self.stored.verdict.value))} · {self.title}"

    @property
    def reason(self) -> str:
        """The judge's reason, empty while it is hidden; the small print says which kind of model it came from."""
        return (
            "" if self.is_hidden else self.stored.verdict.rationale.removesuffix(NO_LANGUAGE_MODEL).rstrip()
        )

    @property
    def model(self) -> str:
        """The model in few words; not escaped."""
        provider, _, name = self.judge.model.partition(":/")
        return OFFLINE_MODEL if provider == "local" else name or provider


def small_print(verdicts: Sequence[CardVerdict], trace: Trace) -> str:
    """Return the grey line of verdicts on one trace: models, cases, why it was picked, the trace; escaped."""
    pieces = [piece for verdict in verdicts for piece in _evidence(verdict)]
    return " · ".join(dict.fromkeys([*pieces, *_origin(trace)]))


def _evidence(verdict: CardVerdict) -> Iterator[str]:
    """Yield what the judge had to go by, escaped."""
    if verdict.is_hidden:  # what a judge had to go by, and what it lacked, may hint at what it said
        yield answer_hint(verdict.judge.value_type)
        return
    if verdict.earlier_answers:
        yield verdict.earlier_answers.line
    judged = verdict.stored.verdict
    yield escape_name(verdict.model, 100)
    if cases := len(judged.retrieved_trace_ids) + verdict.stored.forgotten_cases:
        yield pluralise(cases, "similar case")
    yield SELECTION_WORDS[verdict.stored.selection.reason]
    yield from _shortcomings(judged)


def _shortcomings(verdict: Verdict) -> Iterator[str]:
    if verdict.note:
        yield escape(verdict.note, 300)
    if line := left_out_line(verdict.left_out):
        yield line


def _origin(trace: Trace) -> Iterator[str]:
    yield f"Trace {escape_name(trace.trace_id, 300)}"
    if trace.url and trace.url.startswith(("https://", "http://")) and len(trace.url) < 500:
        yield f"<{escape_address(trace.url)}|open it>"
    if is_redacted(trace):
        yield REDACTED
