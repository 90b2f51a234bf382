"""The evidence of a verdict: what its judge was shown, and what has become of that since."""

import asyncio
from collections.abc import Iterator, Mapping
from textwrap import shorten

from slack_sdk.web.async_client import AsyncWebClient

from bot.blocks.trace_reading import parts_of
from bot.config import Settings
from bot.evidence import CaseEvidence, GuidelineChange, GuidelineEvidence, VerdictEvidence
from bot.reports.guideline_numbers import number_guidelines
from bot.runtime.clock import from_ms
from bot.slack.permalink import permalink
from bot.slack.users import People
from bot.visible_text import visible_line
from memalign.judge import LOCAL_MODELS
from memalign.judge_memory import JudgeMemory
from memalign.memory.guideline_handling import guideline_id
from memalign.memory.guideline_merge import merged_into
from memalign.records import Guideline, Trace, Verdict
from storage.database import Database
from storage.records import StoredVerdict

MAX_QUESTION_LENGTH = 200
LINK_SECONDS = 1.0
"""Time for a link. It is wanted for a modal, which Slack takes within three seconds of the click."""


class EvidenceReader:
    """Reads what a verdict rests on from store and memories; what was forgotten since is only counted."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        memories: Mapping[str, JudgeMemory],
        people: People,
        client: AsyncWebClient,
    ) -> None:
        self._settings = settings
        self._database = database
        self._memories = memories
        self._people = people
        self._client = client

    async def read(self, stored: StoredVerdict, max_cases: int | None = None) -> VerdictEvidence | None:
        """Return a verdict's evidence. Raises `StorageError`.

        Args:
            stored: the verdict.
            max_cases: the number of cases wanted, each of which costs a call to Slack; None for all.

        Returns:
            The evidence; None where the trace was forgotten meanwhile, or the settings name its judge no more.
        """
        verdict = stored.verdict
        memory = self._memories.get(verdict.judge)
        trace = await self._database.traces.get(verdict.trace_id)
        if memory is None or trace is None:
            return None
        rules = await self._guidelines(memory, stored)
        shown_cases = dict.fromkeys((*verdict.cited_trace_ids, *verdict.retrieved_trace_ids))
        known = [each for each in shown_cases if await self._is_known(memory, each)]
        known_rules = {name for each in memory.guidelines for name in _ids_of(each)}
        return VerdictEvidence(
            stored=stored,
            title=self._settings.titles.get(verdict.judge, verdict.judge),
            question=question_of(trace),
            judged_at=from_ms(stored.judged_ms, self._settings.digest.zone),
            reads_guidelines=not (verdict.model or memory.definition.model).startswith(LOCAL_MODELS),
            guidelines=tuple(rules),
            guidelines_gone=sum(each not in known_rules for each in verdict.shown_guideline_ids),
            cited_guidelines_gone=sum(each not in known_rules for each in verdict.guideline_ids),
            cases=tuple(
                await asyncio.gather(*(self._case(memory, verdict, each) for each in known[:max_cases]))
            ),
            cases_gone=stored.forgotten_cases + len(shown_cases) - len(known),
            cited_cases_gone=stored.forgotten_cited_cases
            + sum(each not in known for each in verdict.cited_trace_ids),
        )

    async def _guidelines(self, memory: JudgeMemory, stored: StoredVerdict) -> list[GuidelineEvidence]:
        guidelines = memory.guidelines
        numbers = number_guidelines(guidelines)
        holders = {name: rule for rule in guidelines for name in _ids_of(rule)}
        cited_ids, shown_ids = stored.verdict.guideline_ids, stored.verdict.shown_guideline_ids
        cited = {holders[name].id for name in cited_ids if name in holders}
        held = dict.fromkeys(holders[name].id for name in (*cited_ids, *shown_ids) if name in holders)
        evidence = []
        for rule_id in held:
            rule = holders[rule_id]
            names = tuple((await self._people.names(rule.people)).values())
            change = change_of(rule, stored.verdict, memory.state.id_namespace)
            evidence.append(
                GuidelineEvidence(
                    number=numbers[rule_id],
                    guideline=rule,
                    names=names,
                    change=change,
                    is_cited=rule_id in cited,
                )
            )
        return evidence

    async def _is_known(self, memory: JudgeMemory, trace_id: str) -> bool:
        return trace_id in memory.episodes or await self._database.traces.contains(trace_id)

    async def _case(self, memory: JudgeMemory, verdict: Verdict, trace_id: str) -> CaseEvidence:
        episode = memory.episodes.get(trace_id)
        trace = await self._database.traces.get(trace_id)
        stored = await self._database.verdicts.of_judge(verdict.judge, trace_id)
        has_card = stored is not None and stored.message_ts is not None
        return CaseEvidence(
            trace_id=trace_id,
            question=question_of(trace) if trace else _opening(episode.text if episode else ""),
            label=episode.label if episode else None,
            verdict_id=stored.verdict_id if stored and has_card else None,
            link=await self._link(stored) if stored and has_card else None,
            is_cited=trace_id in verdict.cited_trace_ids,
        )

    async def _link(self, stored: StoredVerdict) -> str | None:
        return await permalink(self._client, stored.channel, stored.message_ts or "", seconds=LINK_SECONDS)


def question_of(trace: Trace) -> str:
    """Return the beginning of what a trace asked, in one line."""
    parts = parts_of(trace)
    return _opening(parts[0].question or parts[0].text) if parts else ""


def change_of(rule: Guideline, verdict: Verdict, id_namespace: str) -> GuidelineChange | None:
    """Return the difference between a guideline and the one that a judge was shown in its place; None for none.

    `id_namespace` is that of the judge's memory.
    """
    shown_ids = verdict.shown_guideline_ids
    wordings = dict(zip(shown_ids, verdict.guideline_wordings or shown_ids, strict=True))
    if rule.id not in wordings:
        return "replaced"
    is_reworded = rule.has_words and guideline_id(id_namespace, rule.text) != wordings[rule.id]
    return "reworded" if is_reworded else None


def _opening(text: str) -> str:
    return shorten(visible_line(text), MAX_QUESTION_LENGTH, placeholder="…")


def _ids_of(rule: Guideline) -> Iterator[str]:
    """Yield the ids under which a judge may have been shown a guideline: its own, and those it stands for."""
    yield rule.id
    yield from (each.id for each in merged_into(rule))
