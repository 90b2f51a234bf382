"""Calls of a judge model that end when something is forgotten: a prompt that waits to be sent may hold it."""

import asyncio
from collections.abc import Collection

from memalign.errors import ForgottenMeanwhileError
from memalign.ports import JudgeModel, JudgeRequest, JudgeResponse


class InterruptibleJudgeModel:
    """A judge model whose calls under way can be ended, be they sent, or waiting for a slot or for another try.

    Satisfies `memalign.ports.JudgeModel`.

    Args:
        model: The model.
    """

    def __init__(self, model: JudgeModel) -> None:
        self._model = model
        self._calls: dict[asyncio.Task[JudgeResponse], set[str]] = {}
        """Those under way, each with what was forgotten since it began."""
        self._ended: set[asyncio.Task[JudgeResponse]] = set()

    async def decide(self, request: JudgeRequest) -> JudgeResponse:
        """Judge one trace, as the model does.

        Args:
            request: Criterion, fields and evidence.

        Returns:
            The model's answer.

        Raises:
            ForgottenMeanwhileError: If `interrupt` was called before the model answered.
            ModelError: If the model fails.
        """
        call = asyncio.get_running_loop().create_task(self._model.decide(request))
        forgotten_ids = self._calls[call] = set()
        try:
            await asyncio.wait([call])
            if call.cancelled() and call in self._ended:
                sentence = "Something was forgotten while the judge's model was asked."
                raise ForgottenMeanwhileError(sentence, trace_ids=forgotten_ids)
            return call.result()
        finally:
            del self._calls[call]
            self._ended.discard(call)
            call.cancel()

    def interrupt(self, trace_ids: Collection[str]) -> None:
        """End all calls that are under way.

        Args:
            trace_ids: The traces that were forgotten.
        """
        for call, forgotten_ids in self._calls.items():
            forgotten_ids.update(trace_ids)
            self._ended.add(call)
            call.cancel()
