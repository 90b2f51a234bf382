"""A server's refusal of a parameter is told from a refusal of its value, or of what the request says."""

import pytest

from memalign.models.capabilities import Capabilities, Mode, refused_forms, refused_parameter

LIMITS = ("max_completion_tokens", "max_tokens")


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        (
            "Unsupported parameter: 'max_tokens' is not supported here. Use 'max_completion_tokens' instead.",
            "max_tokens",
        ),
        ("Unrecognized request argument supplied: max_completion_tokens", "max_completion_tokens"),
        (
            '{"detail": [{"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"]}]}',
            "max_completion_tokens",
        ),
        ('Invalid JSON payload received. Unknown name "max_completion_tokens"', "max_completion_tokens"),
        ("max_tokens: this model doesn't support it", "max_tokens"),
        ("max_tokens is too large: 9000. This model supports at most 4096 completion tokens.", None),
        ("max_tokens must be at least 1", None),
        ("temperature is not supported", None),
        ("Your prompt is not allowed here.", None),
    ],
)
def test_a_refused_parameter_is_found(words: str, refused: str | None) -> None:
    sent = ("max_tokens",) if refused == "max_tokens" else LIMITS
    assert refused_parameter(words, sent) == refused


@pytest.mark.parametrize(
    ("words", "mode", "refused"),
    [
        ("response_format is not supported", "json_schema", True),
        ("This response_format type is unavailable now", "json_schema", True),
        ("'response_format.type' must be one of text, json_object", "json_object", True),
        ("Invalid schema for response_format 'answer'", "json_schema", True),
        ("Failed to compile the grammar", "json_schema", True),
        ('"auto" tool choice requires --enable-auto-tool-choice', "tool", True),
        ("Thinking may not be enabled when tool_choice forces tool use.", "tool", True),
        ("Your prompt was flagged as violating the policy.", "json_schema", False),
        ("Your prompt was flagged as violating the policy.", "tool", False),
        ("temperature must be 1", "json_object", False),
        ("anything about a tool or a schema", "none", False),
    ],
)
def test_a_refused_form_is_told_by_its_name(words: str, mode: Mode, refused: bool) -> None:
    assert (mode in refused_forms(words, mode)) is refused


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ("response_format is not supported", {"json_schema", "json_object"}),
        ("Unknown parameter: response_format", {"json_schema", "json_object"}),
        ("This response_format type is unavailable now", {"json_schema"}),
        ("response_format value `json_schema` is not supported", {"json_schema"}),
    ],
)
def test_a_parameter_that_is_not_known_at_all_takes_both_forms_with_it(words: str, refused: set[str]) -> None:
    assert refused_forms(words, "json_schema") == refused


def test_what_was_refused_is_left_out_but_for_the_last_form() -> None:
    known = Capabilities(refused_modes={"json_schema", "none"}, refused_limits={"max_tokens"})
    assert known.modes(("json_schema", "json_object", "none")) == ["json_object", "none"]
    assert known.limits(LIMITS) == ["max_completion_tokens", None]
