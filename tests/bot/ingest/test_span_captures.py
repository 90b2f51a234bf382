"""Traces of what the tools' own libraries sent: each was run once against a local model, and its spans are kept."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.ingest.span_assembly import assembled_trace, has_content
from memalign.records import Json, Trace
from memalign.span_conventions import is_of_ai
from memalign.span_forms import span_document

FOLDER = Path(__file__).parent / "span_captures"
QUESTION, ANSWER = "Where is my parcel?", "Ask the post."
SYSTEM = {"role": "system", "content": "Be kind."}
ASKED, ANSWERED = {"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}
TOOL_TURNS = [
    {"role": "assistant", "tool_calls": [{"name": "where", "arguments": {"parcel": "7"}}]},
    {"role": "tool", "name": "where", "content": "In Bonn."},
]
PLAIN = [SYSTEM, ASKED, ANSWERED]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A file, and what is to be found in it."""

    file: str
    inputs: Json
    outputs: Json
    conversation: Json
    tool: tuple[Json, Json] | None = ({"parcel": "7"}, "In Bonn.")
    """Inputs and outputs of the span of the tool `where`; None where it called none."""


CAPTURES = (
    Capture(
        file="agent_framework",
        inputs=[ASKED],
        outputs=[*TOOL_TURNS, ANSWERED],
        conversation=[SYSTEM, ASKED, *TOOL_TURNS, ANSWERED],
    ),
    Capture(
        file="langfuse",
        inputs={"args": [QUESTION], "kwargs": {}},
        outputs=ANSWER,
        conversation=PLAIN,
        tool=({"args": ["7"], "kwargs": {}}, "In Bonn."),
    ),
    Capture(
        file="langsmith",
        inputs={"question": QUESTION},
        outputs={"output": ANSWER},
        conversation=PLAIN,
        tool=({"parcel": "7"}, {"output": "In Bonn."}),
    ),
    Capture(file="logfire_openai", inputs=[SYSTEM, ASKED], outputs=[ANSWERED], conversation=PLAIN, tool=None),
    Capture(
        file="logfire_openai_stream",
        inputs=[ASKED],
        outputs=[ANSWERED],
        conversation=[ASKED, ANSWERED],
        tool=None,
    ),
    Capture(file="mlflow", inputs={"question": QUESTION}, outputs=ANSWER, conversation=PLAIN),
    Capture(
        file="pydantic_ai_format_2",
        inputs=[ASKED, *TOOL_TURNS],
        outputs=ANSWER,
        conversation=[SYSTEM, ASKED, *TOOL_TURNS, ANSWERED],
    ),
    Capture(
        file="pydantic_ai_format_6",
        inputs=[ASKED, *TOOL_TURNS],
        outputs=ANSWER,
        conversation=[SYSTEM, ASKED, *TOOL_TURNS, ANSWERED],
    ),
    Capture(
        file="strands",
        inputs=[SYSTEM, ASKED],
        outputs=[{"role": "assistant", "content": f"{ANSWER}\n"}],
        conversation=[SYSTEM, ASKED, {"role": "assistant", "content": f"{ANSWER}\n"}],
        tool=([{"role": "tool", "content": {"parcel": "7"}}], [{"role": "assistant", "content": "In Bonn."}]),
    ),
    Capture(
        file="strands_latest",
        inputs=[ASKED],
        outputs=[{"role": "assistant", "content": f"{ANSWER}\n"}],
        conversation=[SYSTEM, ASKED, {"role": "assistant", "content": f"{ANSWER}\n"}],
        tool=(
            [{"role": "tool", "tool_calls": [{"name": "where", "arguments": {"parcel": "7"}}]}],
            [{"role": "tool", "content": "In Bonn."}],
        ),
    ),
)


def spans_of(file: str) -> list[dict[str, Json]]:
    spans: list[dict[str, Json]] = json.loads((FOLDER / f"{file}.json").read_text(encoding="utf-8"))
    return spans


def trace_of(file: str) -> Trace:
    return assembled_trace(
        "t",
        [
            span_document(
                {
                    "spanId": span["id"],
                    "parentSpanId": span["parent"] or "",
                    "name": span["name"],
                    "startTimeUnixNano": str(1_790_000_000_000_000_000 + span["start_ms"] * 1_000_000),
                    "endTimeUnixNano": str(1_790_000_000_000_000_000 + span["end_ms"] * 1_000_000),
                    "attributes": span["attributes"],
                    "events": [
                        {"name": name, "attributes": attributes} for name, attributes in span["events"]
                    ],
                }
            )
            for span in spans_of(file)
        ],
    )


def test_each_file_is_looked_at() -> None:
    assert {capture.file for capture in CAPTURES} == {path.stem for path in FOLDER.iterdir()}


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda each: str(each.file))
def test_question_answer_and_conversation_of_a_real_library_are_found(capture: Capture) -> None:
    trace = trace_of(capture.file)
    assert (trace.inputs, trace.outputs) == (capture.inputs, capture.outputs)
    assert trace.conversation == capture.conversation
    assert has_content(trace)
    assert any(is_of_ai(span["attributes"]) for span in spans_of(capture.file))


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda each: str(each.file))
def test_the_tool_s_arguments_and_result_of_a_real_library_are_found(capture: Capture) -> None:
    tools = [span for span in trace_of(capture.file).spans if span["name"] in _TOOL_SPANS]
    assert [(span.get("inputs"), span.get("outputs")) for span in tools] == (
        [] if capture.tool is None else [capture.tool]
    )


_TOOL_SPANS = ("where", "running tool", "execute_tool where")
