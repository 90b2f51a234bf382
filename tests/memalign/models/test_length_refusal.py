"""Refusals of prompts that are too long, as services word them in public reports, and words that are none."""

import pytest

from memalign.errors import PromptTooLongError
from memalign.models.length_refusal import length_refusal
from memalign.models.service_failure import FailedCall, answer_of

REFUSALS: list[tuple[str, int | None, int | None]] = [
    (
        (
            "This model's maximum context length is 16384 tokens. However, you requested 122946 tokens (112946 in the "
            "messages, 10000 in the completion). Please reduce the length of the messages or completion."
        ),
        16_384,
        112_946,
    ),
    (
        (
            "This model's maximum context length is 128000 tokens. However, your messages resulted in 204308 tokens. "
            "Please reduce the length of the messages."
        ),
        128_000,
        204_308,
    ),
    (
        (
            "This model's maximum context length is 262144 tokens. However, you requested 0 output tokens and your "
            "prompt contains at least 262145 input tokens, for a total of at least 262145 tokens."
        ),
        262_144,
        262_145,
    ),
    (
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 4000. This model's maximum context length is 4096 "
            "tokens and your request has 120 input tokens (4000 > 4096 - 120)."
        ),
        4_096,
        120,
    ),
    (
        (
            "This endpoint's maximum context length is 131,072 tokens. However, you requested about 200,000 tokens "
            "(199,000 of text input, 1,000 in the output)."
        ),
        131_072,
        200_000,
    ),
    ("maximum context length is 8192 tokens, you requested 9001", 8_192, 9_001),
    ("request (13917 tokens) exceeds the available context size (4096 tokens), try it", 4_096, 13_917),
    ("the request exceeds the available context size, try increasing it", None, None),
    ("the request exceeds the available context size. n_ctx: 8192 n_prompt_tokens: 14429", 8_192, 14_429),
    ("Requested tokens (2285) exceed context window of 2048", 2_048, 2_285),
    ("input is too large to process. increase the physical batch size", None, None),
    ("prompt is too long: 208310 tokens > 200000 maximum", 200_000, 208_310),
    (
        (
            "input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000, decrease input length or "
            "`max_tokens` and try again"
        ),
        200_000,
        178_959,
    ),
    (
        (
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 32512. Given: 79993 `inputs` tokens "
            "and 1024 `max_new_tokens`"
        ),
        32_512,
        79_993,
    ),
    ("Input validation error: `inputs` must have less than 512 tokens. Given: 700", 512, None),
    (
        "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).",
        1_048_576,
        1_200_293,
    ),
    ("The input token count exceeds the maximum number of tokens allowed 1048576.", 1_048_576, None),
    (
        "Prompt contains 40964 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
        32_768,
        40_964,
    ),
    (
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens",
        131_072,
        537_812,
    ),
    ("Please reduce the length of the messages or completion.", None, None),
    ("Input length 131393 exceeds the maximum allowed input length of 131040 tokens.", 131_040, 131_393),
    ("Input length (265330) exceeds model's maximum context length (262144).", 262_144, 265_330),
    (
        "The input (516368 tokens) is longer than the model's context length (262144 tokens).",
        262_144,
        516_368,
    ),
    (
        "Requested token count exceeds the model's maximum context length of 131072 tokens.",
        131_072,
        None,
    ),
    ("Input is too long for requested model.", None, None),
    ("Too many input tokens. Max input tokens: 8192, request input token count: 9100", 8_192, 9_100),
    ("prompt token count of 70000 exceeds the limit of 64000", 64_000, 70_000),
    ("invalid params, context window exceeds limit (2013)", None, None),
    ("Your request exceeded model token limit: 131072 (requested: 150000)", 131_072, 150_000),
    ("Range of input length should be [1, 30720]", 30_720, None),
    (
        (
            "too many tokens: size limit exceeded by 19296 tokens. Try using shorter or fewer inputs. The limit for "
            "this model is 132000 tokens."
        ),
        132_000,
        None,
    ),
    ("the input length exceeds the context length", None, None),
    ("prompt too long; exceeded max context length by 4 tokens", None, None),
    ("Prompt too long: 5152 tokens exceeds max_seq_len 2048 (leave room for output)", 2_048, 5_152),
    (
        (
            "Trying to keep the first 5123 tokens when context the overflows. However, the model is loaded with "
            "context length of only 4096 tokens, which is not enough."
        ),
        4_096,
        None,
    ),
    (
        (
            "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 48000. "
            "The input or output tokens must be reduced in order to run successfully."
        ),
        30_000,
        48_000,
    ),
    (
        (
            "Request too large for model `l` service tier `on_demand` on tokens per minute (TPM): Limit 6000, "
            "Requested 7242, please reduce your message size and try again. See https://example.com/settings/billing"
        ),
        6_000,
        7_242,
    ),
    ("Your input exceeds the context window of this model. Please adjust your input.", None, None),
    ("context_length_exceeded", None, None),
    ("model_context_window_exceeded", None, None),
    ("Prompt exceeds max length", None, None),
    ("prompt token count + max_tokens (5120) cannot exceed 4096.", 4_096, None),
    ("The total length of all messages is too long.", None, None),
    ("input length 9000 exceeds max_model_len 8192", 8_192, 9_000),
]
OTHERS = [
    "Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29000, Requested 4000.",
    "ThrottlingException: Too many tokens, please wait before trying again.",
    "Too many tokens per day, please wait before trying again.",
    "Incorrect API key provided",
    "response_format is not supported",
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    "The response was filtered due to the prompt triggering content management policy",
    "You exceeded your current quota, please check your plan and billing details.",
    "max_tokens is too large: 100000. This model supports at most 16384 completion tokens.",
    "Invalid schema for response_format 'answer': 'maxItems' is not permitted",
    "Range of max_tokens should be [1, 8192]",
    "The model `gpt-5-long-context` does not exist",
]


@pytest.mark.parametrize(("words", "context_tokens", "prompt_tokens"), REFUSALS)
def test_a_refusal_for_length_is_read_with_the_numbers_that_are_in_it(
    words: str, context_tokens: int | None, prompt_tokens: int | None
) -> None:
    refusal = length_refusal(words)

    assert refusal is not None
    assert (refusal.context_tokens, refusal.prompt_tokens) == (context_tokens, prompt_tokens)


@pytest.mark.parametrize("words", OTHERS)
def test_words_about_other_limits_are_no_refusal_for_length(words: str) -> None:
    assert length_refusal(words) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, '{"error": {"message": "prompt is too long: 5000 tokens > 4096 maximum"}}'),
        (413, "<html><head><title>413 Request Entity Too Large</title></head></html>"),
        (422, '{"error": "`inputs` tokens + `max_new_tokens` must be <= 4096.", "error_type": "validation"}'),
        (
            500,
            '{"error": {"code": 500, "message": "input is too large to process.", "type": "server_error"}}',
        ),
        (400, '{"error": {"code": 400, "message": "?", "type": "exceed_context_size_error", "n_ctx": 4096}}'),
        (
            400,
            '[{"error": {"message": "The input token count (5000) exceeds the maximum number of tokens allowed."}}]',
        ),
    ],
)
def test_a_refusal_for_length_is_told_from_others_whatever_its_status(status: int, body: str) -> None:
    call = FailedCall(name="openai:/m", key_variable="K", address_name="U", address=None, secrets=())

    error = call.error(answer_of(status, {}, body))

    assert isinstance(error, PromptTooLongError)
    assert error.context_tokens in (4_096, None)
