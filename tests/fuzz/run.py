"""Send hostile inputs to a working bot, good ones in between, and look for what must not happen."""

import asyncio
import io
import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from memalign.records import Json
from tests.bot.bot_in_workspace import BotInWorkspace, bot_in_workspace
from tests.bot.slack.signed_requests import signature_headers
from tests.fuzz.inputs import FuzzInput, inputs
from tests.model_server import ModelServer, running_model_server

GOOD_EVERY = 25
"""After so many hostile inputs comes a good trace."""


@dataclass(slots=True)
class FuzzReport:
    """Answers to hostile inputs, and what went wrong."""

    statuses: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    good_traces: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        return sum(self.statuses.values())


class BugLog(logging.Handler):
    """Notes records of bugs: those with an exception that nobody expected."""

    def __init__(self, report: FuzzReport) -> None:
        super().__init__(logging.ERROR)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        self._report.faults.append(f"logged: {self.format(record)[-2000:]}")


@contextmanager
def bugs_noted(report: FuzzReport) -> Iterator[None]:
    handler = BugLog(report)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def run(folder: Path, examples: int) -> FuzzReport:
    """Start the bot in HTTP mode, beside a model that answers as the inputs say, and send so many inputs."""
    report = FuzzReport()
    drawn = draw_inputs(examples)
    with running_model_server() as model, bugs_noted(report), pytest.MonkeyPatch.context() as environment:
        environment.setenv("OPENAI_BASE_URL", f"{model.url}/v1")
        environment.setenv("OPENAI_API_KEY", "x")
        asyncio.run(_run(folder, drawn, model, report))
    return report


async def _run(folder: Path, drawn: Sequence[FuzzInput], model: ModelServer, report: FuzzReport) -> None:
    judges: list[Json] = [{}, {"name": "remote", "model": "openai:/m"}]
    async with (
        bot_in_workspace(folder, http=True, judges=judges) as harness,
        aiohttp.ClientSession() as session,
    ):
        fuzzer = Fuzzer(harness, session, model, report)
        await fuzzer.start()
        for each in drawn:
            await fuzzer.send(each)
        await fuzzer.finish()


def draw_inputs(examples: int) -> list[FuzzInput]:
    """Draw inputs, before anything else runs that uses random numbers."""
    drawn: list[FuzzInput] = []

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs)
    def draw(each: FuzzInput) -> None:
        drawn.append(each)

    draw()
    return drawn


class Fuzzer:
    """Sends inputs about one card, and checks that good ones are not lost."""

    def __init__(
        self, harness: BotInWorkspace, session: aiohttp.ClientSession, model: ModelServer, report: FuzzReport
    ) -> None:
        self._harness = harness
        self._session = session
        self._model = model
        self._report = report
        self._names: dict[bytes, bytes] = {}

    async def start(self) -> None:
        """Show a card; the payloads of the inputs will be about it."""
        card = await self._harness.show("good-start")
        self._names = {
            b'"U1"': json.dumps(self._harness.ana.id).encode(),
            b'"C1"': json.dumps(card.channel).encode(),
            b'"1.1"': json.dumps(card.ts).encode(),
            b'"T1"': json.dumps(self._harness.workspace.team_id).encode(),
        }

    async def send(self, drawn: FuzzInput) -> None:
        """Send an input, and now and then a good trace."""
        status = await self._send(drawn)
        self._report.statuses[f"{drawn.kind}: {status}"] += 1
        if status >= 500:
            self._report.faults.append(f"{status} for {drawn}")
        if self._report.inputs % GOOD_EVERY == 0:
            await self._send_good()

    async def _send(self, drawn: FuzzInput) -> int:
        if drawn.kind == "model answer":
            self._model.answers.append(drawn.body.decode())
            trace = {
                "trace_id": f"m-{self._report.inputs}",
                "inputs": "q",
                "outputs": "a",
                "judges": ["remote"],
            }
            return await self._post(
                "/traces", json.dumps(trace).encode(), {"Content-Type": "application/json"}
            )
        headers = {"Content-Type": drawn.content_type}
        if drawn.content_encoding:
            headers["Content-Encoding"] = drawn.content_encoding
        if drawn.kind == "traces":
            return await self._post("/traces", drawn.body, headers)
        body = drawn.body
        for name, real in self._names.items():
            body = body.replace(name, real)
        if drawn.kind == "slack":
            headers |= signature_headers(body, self._harness.slack.signing_secret)
        return await self._post("/slack/events", body, headers)

    async def _post(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        url = f"{self._harness.bot.url}{path}"
        async with self._session.post(url, data=io.BytesIO(body), headers=headers) as answer:
            await answer.read()
            return answer.status

    async def _send_good(self) -> None:
        name = f"good-{len(self._report.good_traces)}"
        body = json.dumps(
            {"trace_id": name, "inputs": "q", "outputs": "a", "judges": ["politeness"]}
        ).encode()
        status = await self._post("/traces", body, {"Content-Type": "application/json"})
        if status == 202:
            self._report.good_traces.append(name)
        elif status != 429:
            self._report.faults.append(f"{status} for a good trace")

    async def finish(self) -> None:
        """Check that the bot lives, that good traces are stored, and that the card is still learned from."""
        if (await self._harness.get("/healthz"))[0] != 200:
            self._report.faults.append("/healthz does not answer")
        for name in self._report.good_traces:
            if await self._harness.bot.database.traces.get(name) is None:
                self._report.faults.append(f"{name} was answered 202 and is lost")
        card = await self._harness.show("good-end")
        self._harness.react(card, "-1", by=self._harness.ben)
        feedback = (await self._harness.feedback(card)).get("ben")
        if feedback is None or feedback.vote != "down":
            self._report.faults.append("a thumb after all inputs does not count")
