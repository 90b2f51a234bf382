"""Scores of Langfuse: those that people give in its pages are read, those of ours are written under ids of our own."""

from collections.abc import Callable, Iterable, Mapping

from bot.connectors.errors import GoneError
from bot.connectors.tool import OWN_ID, OwnAssessment, RemoteAssessment
from bot.connectors.tool_client import ToolClient
from bot.connectors.tool_times import milliseconds, moment_of
from bot.runtime.clock import DAY_MS
from memalign.records import Json, Label

SCORES = "/api/public/scores"
SCORES_V3, SCORES_V2 = "/api/public/v3/scores", "/api/public/v2/scores"
SCORES_PER_PAGE = 100
TRACES_PER_CALL = 50
ANNOTATION_DAYS = 30
"""Days for which people's scores are read from servers before 3.179, which list them for all traces alone."""
NO_AUTHOR = "default"
_FIELDS = "details,subject,annotation"
Score = dict[str, Json]


class AnnotationReader:
    """Reads people's scores (source ANNOTATION), by the newer API, or, where the server does not have it, the older."""

    def __init__(self, client: ToolClient, time_ms: Callable[[], int]) -> None:
        self._client = client
        self._time_ms = time_ms
        self._has_v3 = True

    async def read(self, references: Mapping[str, str]) -> Mapping[str, tuple[RemoteAssessment, ...]]:
        """Return people's scores of traces or of their root observations.

        Args:
            references: trace id -> id of its root observation; that of the trace where the root is not known.

        Returns:
            An entry for each trace.
        """
        found: dict[str, list[RemoteAssessment]] = {trace_id: [] for trace_id in references}
        for score in await self._scores(list(references)):
            trace_id, observation_id = place_of(score)
            if trace_id in found and observation_id in (None, references[trace_id]):
                found[trace_id].append(answer_of(score))
        return {trace_id: tuple(answers) for trace_id, answers in found.items()}

    async def page(self, since_ms: int, page: str | None) -> tuple[dict[str, list[Score]], str | None]:
        """Return people's scores of all traces since a time, by trace, from a page on; and the next page."""
        if self._has_v3:
            try:
                scores, next_page = await self._page_of_v3(since_ms, page)
            except GoneError:
                self._has_v3 = False
        if not self._has_v3:
            scores, next_page = await self._page_of_v2(since_ms, page)
        by_trace: dict[str, list[Score]] = {}
        for score in filter(is_of_person, scores):
            trace_id, _ = place_of(score)
            if isinstance(trace_id, str):
                by_trace.setdefault(trace_id, []).append(score)
        return by_trace, next_page

    async def _page_of_v3(self, since_ms: int, page: str | None) -> tuple[list[Score], str | None]:
        query = {
            "fields": _FIELDS,
            "fromTimestamp": moment_of(since_ms),
            "limit": str(SCORES_PER_PAGE),
            "source": "ANNOTATION",
        }
        cursor = {} if page is None else {"cursor": page}
        answer = await self._client.call("GET", SCORES_V3, query={**query, **cursor}) or {}
        return list(answer.get("data") or ()), (answer.get("meta") or {}).get("cursor") or None

    async def _page_of_v2(self, since_ms: int, page: str | None) -> tuple[list[Score], str | None]:
        number = int(page) if page is not None and page.isdecimal() else 1
        query = {
            "fields": "score",
            "fromTimestamp": moment_of(since_ms),
            "limit": str(SCORES_PER_PAGE),
            "source": "ANNOTATION",
        }
        answer = await self._numbered_page(query, number)
        pages = int((answer.get("meta") or {}).get("totalPages") or 0)
        return list(answer.get("data") or ()), str(number + 1) if number < pages else None

    async def _scores(self, trace_ids: list[str]) -> list[dict[str, Json]]:
        scores = await self._newer(trace_ids) if self._has_v3 else await self._older()
        return [each for each in scores if is_of_person(each)]

    async def _newer(self, trace_ids: list[str]) -> list[dict[str, Json]]:
        scores: list[dict[str, Json]] = []
        for begin in range(0, len(trace_ids), TRACES_PER_CALL):
            query = {
                "fields": _FIELDS,
                "limit": str(SCORES_PER_PAGE),
                "source": "ANNOTATION",
                "traceId": ",".join(trace_ids[begin : begin + TRACES_PER_CALL]),
            }
            cursor: str | None = ""
            while cursor is not None:
                page = {**query, "cursor": cursor} if cursor else query
                try:
                    answer = await self._client.call("GET", SCORES_V3, query=page) or {}
                except GoneError:
                    self._has_v3 = False
                    return await self._older()
                scores += answer.get("data") or ()
                cursor = (answer.get("meta") or {}).get("cursor") or None
        return scores

    async def _older(self) -> list[dict[str, Json]]:
        scores: list[dict[str, Json]] = []
        query = {
            "fields": "score",
            "fromTimestamp": moment_of(self._time_ms() - ANNOTATION_DAYS * DAY_MS),
            "limit": str(SCORES_PER_PAGE),
            "source": "ANNOTATION",
        }
        number, pages = 0, 1
        while number < pages:
            number += 1
            answer = await self._numbered_page(query, number)
            scores += answer.get("data") or ()
            pages = int((answer.get("meta") or {}).get("totalPages") or 0)
        return scores

    async def _numbered_page(self, query: Mapping[str, str], number: int) -> Mapping[str, Json]:
        try:
            answer: Mapping[str, Json] | None = await self._client.call(
                "GET", SCORES_V2, query={**query, "page": str(number)}
            )
        except GoneError:  # the server was upgraded: the next look finds out
            self._has_v3 = True
            raise
        return answer or {}


def score_document(assessment: OwnAssessment) -> dict[str, Json]:
    """Return the body of `POST /api/public/scores`, which replaces the score of the same id.

    Langfuse takes no other source than its API from us; who judged is in the metadata.
    """
    value, kind = _typed(assessment.value)
    return {
        "id": assessment.own_id,
        "traceId": assessment.trace_id,
        "name": assessment.judge,
        "value": value,
        "dataType": kind,
        "comment": assessment.rationale,
        "metadata": {
            **assessment.metadata,
            "source_type": assessment.source_type,
            "source_id": assessment.source_id,
            OWN_ID: assessment.own_id,
        },
    }


def is_of_person(score: Mapping[str, Json]) -> bool:
    """Return whether a person gave a score; ours, and corrected outputs, are none."""
    is_own = OWN_ID in (score.get("metadata") or {})
    return score.get("source") == "ANNOTATION" and score.get("dataType") != "CORRECTION" and not is_own


def _typed(value: Label) -> tuple[Json, str]:
    if isinstance(value, bool):
        return int(value), "BOOLEAN"
    return value, "CATEGORICAL" if isinstance(value, str) else "NUMERIC"


def place_of(score: Mapping[str, Json]) -> tuple[Json, Json]:
    """Return the ids of the trace and of the observation, or None, that a score is about."""
    subject = score.get("subject")
    if not isinstance(subject, Mapping):
        return score.get("traceId"), score.get("observationId") or None
    if subject.get("kind") == "observation":
        return subject.get("traceId"), subject.get("id")
    return (subject.get("id") if subject.get("kind") == "trace" else None), None


def answer_of(score: Mapping[str, Json]) -> RemoteAssessment:
    """Return a score of a person as an answer."""
    return RemoteAssessment(
        name=str(score.get("name") or ""),
        author=str(score.get("authorUserId") or NO_AUTHOR),
        value=_value(score),
        rationale=str(score.get("comment") or ""),
        updated_ms=_first_time(score.get(name) for name in ("updatedAt", "createdAt", "timestamp")),
    )


def _value(score: Mapping[str, Json]) -> Json:
    """Return the value; the older API has words beside a number, and 1 and 0 for true and false."""
    if score.get("dataType") == "BOOLEAN":
        return bool(score.get("value"))
    return score["stringValue"] if score.get("stringValue") is not None else score.get("value")


def _first_time(moments: Iterable[Json]) -> int:
    return next((time_ms for time_ms in map(milliseconds, moments) if time_ms is not None), 0)
