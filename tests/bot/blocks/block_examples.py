"""Examples of arguments for all functions that make blocks, and the texts of what they make."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from datetime import UTC, date, tzinfo
from typing import get_type_hints

from hypothesis import strategies as st

from bot import blocks
from bot.blocks.card import verdict_card
from bot.blocks.card_verdict import CardVerdict
from bot.blocks.home import home_view
from bot.blocks.primitives import Block, SlackMessage
from bot.blocks.thread import vote_counted
from bot.blocks.trace_modal import rendered_trace_view, trace_view
from bot.blocks.votes import which_vote
from bot.blocks.worsening import answered_warning, worsening_message
from bot.records import AgreementShare, CurvePoint, Digest, EstimatedShare, OpenCard, Worsening
from bot.runtime.clock import week_of
from bot.weekly_report import ReportedRule, ReportedVerdict, WeeklyReport
from memalign.judge import Judge
from memalign.records import Episode, Guideline, Json, MemoryVersion, Trace
from memalign.value_types import ValueType, value_type_of
from storage.records import StoredVerdict

ELEMENTS = (
    "bot.blocks.chart",
    "bot.blocks.message_part",
    "bot.blocks.mrkdwn",
    "bot.blocks.primitives",
    "bot.blocks.rich_text",
)
"""Modules of elements, which take text that is escaped already, or other elements."""
LINK = "https://slack.example/archives/C1/p1"
TIMES_MS = st.integers(0, 4_102_444_800_000)
"""Until 2100."""
SHARES = st.floats(0, 1)
COUNTS = st.integers(0, 10**6)
WEEKS = st.dates(date(2026, 1, 1), date(2027, 12, 31)).map(week_of)

Texts = st.SearchStrategy[str]


def register_types(texts: Texts, any_text: Texts) -> None:
    """Let Hypothesis make records with such texts; it holds for all tests of the process until the next call."""
    json = texts | st.lists(texts, max_size=2) | st.dictionaries(texts, texts, max_size=2)
    # a link is Slack's own
    card = {"link": st.just(LINK), "trace": st.from_type(Trace)}
    links = st.lists(st.just(LINK), max_size=3).map(tuple)
    st.register_type_strategy(
        Worsening, st.builds(Worsening, judge=texts, title=texts, fixed=COUNTS, broken=COUNTS, links=links)
    )
    st.register_type_strategy(str, any_text)
    st.register_type_strategy(ValueType, st.sampled_from(["bool", "int", "float", "str"]).map(value_type_of))
    st.register_type_strategy(
        Trace,
        st.builds(
            Trace,
            trace_id=texts,
            inputs=json,
            outputs=json,
            expectations=json,
            conversation=json,
            url=texts,
            spans=st.just(()),
        ),
    )
    st.register_type_strategy(Guideline, _guidelines())
    st.register_type_strategy(MemoryVersion, st.builds(MemoryVersion, at_ms=TIMES_MS))
    st.register_type_strategy(Episode, st.builds(Episode, fields=st.just({})))
    st.register_type_strategy(tzinfo, st.just(UTC))
    st.register_type_strategy(StoredVerdict, st.builds(StoredVerdict, judged_ms=TIMES_MS))
    st.register_type_strategy(AgreementShare, st.integers(1, 10**6).flatmap(_agreement_shares))
    st.register_type_strategy(Digest, _digests())
    st.register_type_strategy(WeeklyReport, _weekly_reports())
    st.register_type_strategy(
        EstimatedShare, st.builds(EstimatedShare, share=SHARES, low=SHARES, high=SHARES)
    )
    st.register_type_strategy(CurvePoint, st.builds(CurvePoint, week=WEEKS))
    st.register_type_strategy(ReportedRule, st.builds(ReportedRule, **_counts(ReportedRule)))
    st.register_type_strategy(
        ReportedVerdict, st.builds(ReportedVerdict, link=st.just(LINK), **_counts(ReportedVerdict))
    )
    st.register_type_strategy(OpenCard, st.builds(OpenCard, stored=st.from_type(StoredVerdict), **card))


def _agreement_shares(n: int) -> st.SearchStrategy[AgreementShare]:
    return st.builds(AgreementShare, agreed=st.integers(0, n), n=st.just(n), low=SHARES, high=SHARES)


def _weekly_reports() -> st.SearchStrategy[WeeklyReport]:
    today = st.dates(date(2026, 1, 1), date(2027, 12, 31))
    return st.builds(WeeklyReport, today=today, **_counts(WeeklyReport))


def _digests() -> st.SearchStrategy[Digest]:
    hints = get_type_hints(Digest)
    figures = {name: st.none() | SHARES for name, hint in hints.items() if hint == float | None}
    names = [f"judge_{judge}_people_{people}" for judge in ("pass", "fail") for people in ("pass", "fail")]
    table = st.none() | st.fixed_dictionaries(dict.fromkeys(names, COUNTS))
    bounds = st.none() | st.tuples(SHARES, SHARES)
    return st.builds(
        Digest, week=WEEKS, table=table, weighted_kappa_bounds=bounds, **_counts(Digest), **figures
    )


def _counts(record: type) -> dict[str, st.SearchStrategy[int]]:
    """Return numbers from 0 on for all fields that are whole numbers."""
    return {name: COUNTS for name, hint in get_type_hints(record).items() if hint is int}


def _guidelines() -> st.SearchStrategy[Guideline]:
    """Return guidelines that name each thing they lack once."""
    hints = get_type_hints(Guideline)
    drawn = {
        each.name: st.from_type(hints[each.name])
        if each.default is MISSING
        else st.just(each.default) | st.from_type(hints[each.name])
        for each in fields(Guideline)
    }
    return st.builds(Guideline, **drawn).map(
        lambda rule: replace(rule, lacks=tuple(dict.fromkeys(rule.lacks)))
    )


def further_arguments(texts: Texts) -> Mapping[Callable[..., Json], Mapping[str, st.SearchStrategy[Json]]]:
    """Return the arguments whose type does not say all, by function."""
    verdicts = st.lists(
        st.builds(CardVerdict, judge=st.builds(Judge, model=texts | st.just("local:/cases"))),
        min_size=1,
        max_size=2,
    )
    return {
        vote_counted: {"vote": st.sampled_from(["up", "down", "unsure", None])},
        which_vote: {"votes": st.sets(st.sampled_from(["up", "down", "unsure"]), min_size=2)},
        verdict_card: {"verdicts": verdicts},
        trace_view: {"verdicts": verdicts},
        rendered_trace_view: {"verdicts": verdicts},
        answered_warning: {"blocks": st.builds(worsening_message).map(_blocks_of)},
        home_view: {"note": st.just("a line escaped before")},
    }


def _blocks_of(message: SlackMessage) -> Sequence[Block]:
    return message.blocks


def makers() -> Iterator[Callable[..., Json]]:
    """Yield all public functions that make blocks."""
    for info in pkgutil.iter_modules(blocks.__path__, "bot.blocks."):
        module = importlib.import_module(info.name)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            is_public = function.__module__ == info.name not in ELEMENTS and not name.startswith("_")
            if is_public and get_type_hints(function)["return"] in (SlackMessage, Block):
                yield function


def text_objects(part: Json) -> Iterator[Block]:
    """Yield all text objects in a part of blocks."""
    if isinstance(part, SlackMessage):
        yield from text_objects(part.blocks)
    elif isinstance(part, dict):
        if part.get("type") in ("mrkdwn", "plain_text", "text"):
            yield part
        for inner in part.values():
            yield from text_objects(inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from text_objects(inner)
