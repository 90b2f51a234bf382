"""A small support bot over HTTP, each answer of which comes to memalign as a trace.

    pip install fastapi uvicorn openai openinference-instrumentation-openai \
        opentelemetry-sdk opentelemetry-exporter-otlp-proto-http
    export OPENAI_API_KEY=sk-… OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:8080 OTEL_SERVICE_NAME=support
    uvicorn support_bot:app --app-dir examples --port 8000
    curl 'http://127.0.0.1:8000/ask?question=Where+is+my+parcel'

Run it beside `memalign run`, with `[sampling] rate = 1.0` while you try. Its answer names the trace, so that
your own page can link to it.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from openai import AsyncOpenAI
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

MODEL = os.environ.get("SUPPORT_MODEL", "gpt-5-mini")
FACTS = """You answer customers of a shop for garden tools, in two sentences at most.
Parcels take three days. The service desk is open from 9 to 17, at 030 1234."""

provider = TracerProvider()
tracer = trace.get_tracer("support", tracer_provider=provider)


@asynccontextmanager
async def tracing(_: FastAPI) -> AsyncIterator[None]:
    """Send spans while the application runs, and the last ones before it ends."""
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    yield
    provider.shutdown()


app = FastAPI(lifespan=tracing)


@app.get("/ask")
async def ask(question: str, session: str = "") -> dict[str, str]:
    """Answer a question."""
    # this span is the trace: what it holds is the question and the answer on the card
    with tracer.start_as_current_span("ask") as span:
        span.set_attribute("input.value", question)
        if session:
            span.set_attribute("session.id", session)
        messages = [{"role": "system", "content": FACTS}, {"role": "user", "content": question}]
        completion = await AsyncOpenAI().chat.completions.create(model=MODEL, messages=messages)
        answer = completion.choices[0].message.content or ""
        span.set_attribute("output.value", answer)
        return {"answer": answer, "trace_id": f"{span.get_span_context().trace_id:032x}"}
