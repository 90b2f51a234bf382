"""An application that asks a model and is traced by a library of its own choice: `traced_application MODULE QUESTION`.

It sends to OTEL_EXPORTER_OTLP_ENDPOINT, asks OPENAI_BASE_URL, and prints the trace's id.
"""

import sys
from importlib import import_module

from openai import OpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def main() -> None:
    """Answer one question, within a span of a web framework."""
    module, question = sys.argv[1:]
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    import_module(module).OpenAIInstrumentor().instrument()
    with trace.get_tracer("shop").start_as_current_span("POST /chat") as span:
        span.set_attribute("session.id", "s-1")
        OpenAI().chat.completions.create(
            model="some-model",
            messages=[
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": question},
            ],
        )
        print(f"{span.get_span_context().trace_id:032x}")
    provider.shutdown()


if __name__ == "__main__":
    main()
