"""An application and its people at a tracking server, over MLflow's own REST API."""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from memalign.records import Json

EXPERIMENT = "support"
TRACES = "/api/3.0/mlflow/traces"


@dataclass(frozen=True, slots=True, kw_only=True)
class MlflowClient:
    """An application, and people before MLflow's page, at one experiment of a server."""

    url: str
    experiment: str
    experiment_id: str

    @classmethod
    async def at(cls, url: str, name: str = EXPERIMENT) -> "MlflowClient":
        """Make the experiment."""
        answer = await _call(url, "POST", "/api/2.0/mlflow/experiments/create", {"name": name})
        return cls(url=url, experiment=name, experiment_id=str(answer["experiment_id"]))

    async def trace(
        self, number: int, answer: str = "Go away.", *, start_ms: int, question: str = "Can you help me?"
    ) -> str:
        """Send a trace of one span over OTLP; its id."""
        headers = {"x-mlflow-experiment-id": self.experiment_id}
        await export(self.url, number, answer, start_ms=start_ms, question=question, headers=headers)
        return f"tr-{number:032x}"

    async def assess(
        self, trace_id: str, value: Json, *, by: str, name: str = "politeness", rationale: str = ""
    ) -> str:
        """Answer in MLflow's page; the assessment's id."""
        assessment = {
            "assessment_name": name,
            "trace_id": trace_id,
            "source": {"source_type": "HUMAN", "source_id": by},
            "feedback": {"value": value},
            "rationale": rationale,
        }
        path = f"{TRACES}/{trace_id}/assessments"
        answer = await _call(self.url, "POST", path, {"assessment": assessment})
        return str(answer["assessment"]["assessment_id"])

    async def correct(self, trace_id: str, value: Json, rationale: str) -> str:
        """Edit the judge's verdict in MLflow's page, which copies it, metadata included; the new assessment's id.

        As `overrideAssessmentMutation` of the page of MLflow 3.17 does, on a server without a login.
        """
        verdicts = (each for each in await self.assessments(trace_id) if each.get("valid"))
        old = next(each for each in verdicts if each["source"]["source_type"] == "LLM_JUDGE")
        made_by_server = ("assessment_id", "create_time", "last_update_time")
        correction = {
            **{name: field for name, field in old.items() if name not in made_by_server},
            "feedback": {"value": value},
            "rationale": rationale,
            "source": {"source_id": "", "source_type": "HUMAN"},
            "overrides": old["assessment_id"],
        }
        path = f"{TRACES}/{trace_id}/assessments"
        answer = await _call(self.url, "POST", path, {"assessment": correction})
        return str(answer["assessment"]["assessment_id"])

    async def change(self, trace_id: str, assessment_id: str, value: Json, rationale: str) -> None:
        """Change an answer in MLflow's page."""
        assessment = {
            "assessment_id": assessment_id,
            "trace_id": trace_id,
            "feedback": {"value": value},
            "rationale": rationale,
        }
        body = {"assessment": assessment, "update_mask": "feedback,rationale"}
        await _call(self.url, "PATCH", f"{TRACES}/{trace_id}/assessments/{assessment_id}", body)

    async def take_back(self, trace_id: str, assessment_id: str) -> None:
        """Delete an assessment in MLflow's page."""
        await _call(self.url, "DELETE", f"{TRACES}/{trace_id}/assessments/{assessment_id}")

    async def delete(self, trace_id: str) -> None:
        """Delete a trace in MLflow's page."""
        body = {"experiment_id": self.experiment_id, "request_ids": [trace_id]}
        await _call(self.url, "POST", "/api/2.0/mlflow/traces/delete-traces", body)

    async def assessments(self, trace_id: str) -> list[dict[str, Json]]:
        """Return what stands at a trace."""
        answer = await _call(self.url, "POST", f"{TRACES}/batchGetInfos", {"trace_ids": [trace_id]})
        infos = answer.get("trace_infos") or []
        return list(infos[0].get("assessments") or []) if infos else []

    async def by_source(self, trace_id: str) -> dict[str, Json]:
        """Return the values at a trace by kind and id of their source; fail where a source has two."""
        found = [
            (f"{each['source']['source_type']} {each['source']['source_id']}", each["feedback"]["value"])
            for each in await self.assessments(trace_id)
        ]
        assert len(found) == len(dict(found)), found
        return dict(found)


async def export(
    url: str,
    number: int,
    answer: str = "Go away.",
    *,
    start_ms: int,
    question: str = "Can you help me?",
    headers: Mapping[str, str] | None = None,
) -> str:
    """Send a trace of one span over OTLP to some server; its id as OpenTelemetry has it."""
    trace_hex = f"{number:032x}"
    span = {
        "traceId": trace_hex,
        "spanId": f"{number:016x}",
        "name": "answer",
        "startTimeUnixNano": str(start_ms * 1_000_000),
        "endTimeUnixNano": str((start_ms + 5) * 1_000_000),
        "attributes": [
            {"key": "input.value", "value": {"stringValue": question}},
            {"key": "output.value", "value": {"stringValue": answer}},
        ],
        "status": {"code": 1},
    }
    body = {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"spans": [span]}]}]}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/traces", json=body, headers=headers) as reply,
    ):
        assert reply.status == 200, await reply.text()
    return trace_hex


async def _call(url: str, method: str, path: str, body: Json = None) -> Json:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{url}{path}", json=body) as reply,
    ):
        assert reply.status == 200, f"{method} {path}: {reply.status} {await reply.text()}"
        return await reply.json(content_type=None)
