"""The answers, refusals and model lists of model servers, in the form in which each of them writes these.

Forms of llama.cpp were recorded from a server of October 2026; those of the others are what their references and
public error reports show. `tests.model_server` serves them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from memalign.records import Json

DRAFT_RULE = "A draft that the final answer does not hold."
DRAFT_RATIONALE = "A draft of the reason."


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An answer to give instead of the usual one."""

    status: int = 200
    body: str = "{}"
    headers: Mapping[str, str] = field(default_factory=dict)


def fault(status: int, document: Json, **headers: str) -> Fault:
    """A fault whose body is JSON."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(status=status, body=json.dumps(document), headers=names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The size of one exchange."""

    prompt: int
    answer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overflow:
    """The tokens of a prompt, those wanted for the answer, and those of the context that has no room for both."""

    prompt: int
    answer: int
    context: int


class Dialect:
    """OpenAI's own, from which the others differ."""

    name = "openai"
    model = "openai:/some-model"
    """The model that speaks it, as memalign names models."""
    base_path = "/v1"
    """Of the base URL."""
    output_limits: tuple[str, ...] = ("max_completion_tokens", "max_tokens")
    """Names that the service takes for the most tokens of an answer; any other is refused."""
    takes_any_model = False
    owner = "system"
    """Of the models in the list."""
    tells_context = False
    """True if the list of models, or another address, names the size of the context."""

    def message(self, text: str) -> Json:
        """The message of a choice."""
        return {"role": "assistant", "content": text, "refusal": None, "annotations": []}

    def completion(self, model: str, text: str, tokens: Tokens) -> Json:
        """A whole answer."""
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": model,
            "choices": [
                {"index": 0, "message": self.message(text), "logprobs": None, "finish_reason": "stop"}
            ],
            "usage": {
                "prompt_tokens": tokens.prompt,
                "completion_tokens": tokens.answer,
                "total_tokens": tokens.prompt + tokens.answer,
                "prompt_tokens_details": {"cached_tokens": 3},
            },
        }

    def error(self, status: int, message: str, code: str | None = None, **headers: str) -> Fault:
        """An error with the service's own words."""
        kind = "invalid_request_error" if status < 429 else "server_error"
        return fault(
            status, {"error": {"message": message, "type": kind, "param": None, "code": code}}, **headers
        )

    def refuse_body(self, body: Json) -> Fault | None:
        """The refusal of an argument that the service does not take; None when all are taken."""
        for name in ("max_tokens", "max_completion_tokens"):
            if name in body and name not in self.output_limits:
                return self.unknown_argument(name, body[name])
        form = body.get("response_format", {})
        words = json.dumps(body["messages"]).lower()
        if form.get("type") == "json_object" and "json" not in words:
            return self.error(
                400, "'messages' must contain the word 'json' in some form, to use 'json_object'."
            )
        return None if form.get("type") != "json_schema" else self.refuse_schema(form["json_schema"])

    def refuse_schema(self, form: Json) -> Fault | None:
        """The refusal of a schema that is not strict as OpenAI wants it; None when it is taken."""
        problem = _loose_object(form["schema"]) if form.get("strict") else None
        if problem is None:
            return None
        return self.error(400, f"Invalid schema for response_format '{form['name']}': {problem}")

    def unknown_argument(self, name: str, value: Json) -> Fault:
        """The refusal of an argument."""
        del value
        return self.error(
            400,
            f"Unsupported parameter: '{name}' is not supported with this model. "
            f"Use '{self.output_limits[0]}' instead.",
            "unsupported_parameter",
        )

    def too_long(self, size: Overflow) -> Fault:
        """The refusal of a prompt that does not fit, with the answer it leaves room for."""
        return self.error(
            400,
            f"This model's maximum context length is {size.context} tokens. However, your messages resulted in "
            f"{size.prompt} tokens. Please reduce the length of the messages.",
            "context_length_exceeded",
        )

    def wrong_key(self) -> Fault:
        """The refusal of a key."""
        return self.error(401, "Incorrect API key provided: sk-s***cret.", "invalid_api_key")

    def unknown_model(self, model: str) -> Fault:
        """The refusal of a model's name."""
        return self.error(
            404, f"The model `{model}` does not exist or you do not have access to it.", "model_not_found"
        )

    def unknown_address(self) -> Fault:
        """The answer where nothing is served."""
        return self.error(404, "Invalid URL (POST /chat/completions)")

    def quota_used_up(self) -> Fault:
        """The refusal where the bill is not paid; it looks like a rate limit, and does not pass."""
        return self.error(
            429,
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota",
        )

    def rate_limited(self) -> Fault:
        """The refusal that passes."""
        return self.error(
            429, "Rate limit reached. Please try again in 1ms.", "rate_limit_exceeded", retry_after_ms="1"
        )

    def overloaded(self) -> Fault:
        """The service cannot take the call at the moment."""
        return self.error(503, "The server is currently overloaded with other requests.", retry_after_ms="1")

    def refused_content(self) -> Fault:
        """The refusal of a prompt for what it says."""
        words = "Invalid prompt: your prompt was flagged as potentially violating our usage policy."
        return self.error(400, words, "invalid_prompt")

    def models(self, names: tuple[str, ...], context: int) -> Json:
        """`GET /v1/models`."""
        return {"object": "list", "data": [self.model_entry(name, context) for name in names]}

    def model_entry(self, name: str, context: int) -> Json:
        """One model in the list."""
        del context
        return {"id": name, "object": "model", "created": 1, "owned_by": self.owner}


class OpenAIReasoning(Dialect):
    """OpenAI's models that reason: they take the newer name of the limit alone."""

    name = "openai-reasoning"
    output_limits = ("max_completion_tokens",)


class Azure(OpenAIReasoning):
    """Azure's service for OpenAI's models: filters' results beside each answer, codes as texts."""

    name = "azure"
    base_path = "/openai/v1"

    def completion(self, model: str, text: str, tokens: Tokens) -> Json:
        """See `Dialect.completion`."""
        safe = {"hate": {"filtered": False, "severity": "safe"}}
        answer = super().completion(model, text, tokens)
        answer["choices"][0]["content_filter_results"] = safe
        return {**answer, "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": safe}]}

    def wrong_key(self) -> Fault:
        """See `Dialect.wrong_key`."""
        words = "Access denied due to invalid subscription key or wrong API endpoint."
        return fault(401, {"error": {"code": "401", "message": words}})

    def unknown_model(self, model: str) -> Fault:
        """See `Dialect.unknown_model`."""
        words = "The API deployment for this resource does not exist."
        return fault(404, {"error": {"code": "DeploymentNotFound", "message": f"{words} ({model})"}})

    def unknown_address(self) -> Fault:
        """See `Dialect.unknown_address`."""
        return fault(404, {"error": {"code": "404", "message": "Resource not found"}})

    def rate_limited(self) -> Fault:
        """See `Dialect.rate_limited`."""
        words = (
            "Requests have exceeded the token rate limit of your pricing tier. Please retry after 1 second."
        )
        return fault(429, {"error": {"code": "429", "message": words}}, retry_after_ms="1", retry_after="1")

    def refused_content(self) -> Fault:
        """See `Dialect.refused_content`."""
        result = {"violence": {"filtered": True, "severity": "medium"}}
        return fault(
            400,
            {
                "error": {
                    "message": "The response was filtered due to the prompt triggering Azure OpenAI's content "
                    "management policy. Please modify your prompt and retry.",
                    "type": None,
                    "param": "prompt",
                    "code": "content_filter",
                    "status": 400,
                    "innererror": {
                        "code": "ResponsibleAIPolicyViolation",
                        "content_filter_result": result,
                    },
                }
            },
        )


class VLLM(Dialect):
    """vLLM: the context stands in the list of models, and a key it does not know is a bare text."""

    name = "vllm"
    output_limits = ("max_tokens", "max_completion_tokens")
    tells_context = True

    def message(self, text: str) -> Json:
        """See `Dialect.message`."""
        return {"role": "assistant", "content": text, "reasoning_content": None, "tool_calls": []}

    def error(self, status: int, message: str, code: str | None = None, **headers: str) -> Fault:
        """See `Dialect.error`."""
        kind = "BadRequestError" if status == 400 else "InternalServerError"
        del code
        return fault(
            status, {"error": {"message": message, "type": kind, "param": None, "code": status}}, **headers
        )

    def too_long(self, size: Overflow) -> Fault:
        """See `Dialect.too_long`."""
        return self.error(
            400,
            f"This model's maximum context length is {size.context} tokens. However, you requested "
            f"{size.prompt + size.answer} tokens ({size.prompt} in the messages, {size.answer} in the completion). "
            "Please reduce the length of the messages or completion.",
        )

    def wrong_key(self) -> Fault:
        """See `Dialect.wrong_key`."""
        return fault(401, {"error": "Unauthorized"})

    def unknown_model(self, model: str) -> Fault:
        """See `Dialect.unknown_model`."""
        words = f"The model `{model}` does not exist."
        return fault(
            404, {"error": {"message": words, "type": "NotFoundError", "param": "model", "code": 404}}
        )

    def unknown_address(self) -> Fault:
        """See `Dialect.unknown_address`."""
        return fault(404, {"detail": "Not Found"})

    def model_entry(self, name: str, context: int) -> Json:
        """See `Dialect.model_entry`."""
        entry = {"id": name, "object": "model", "created": 1, "owned_by": "vllm"}
        return {**entry, "root": name, "parent": None, "max_model_len": context, "permission": []}


class VLLMReasoning(VLLM):
    """vLLM with a reasoning parser: thoughts come in a field of their own."""

    name = "vllm-reasoning"

    def message(self, text: str) -> Json:
        """See `Dialect.message`."""
        return {**super().message(text), "reasoning_content": f"Perhaps {draft_of(text)}? No."}


class Ollama(Dialect):
    """Ollama: tells the context under an address of its own, and has no keys."""

    name = "ollama"
    owner = "library"
    output_limits = ("max_tokens",)
    tells_context = True

    def refuse_body(self, body: Json) -> Fault | None:
        """See `Dialect.refuse_body`; what Ollama does not know it passes over."""
        del body
        return None

    def message(self, text: str) -> Json:
        """See `Dialect.message`."""
        return {"role": "assistant", "content": text, "reasoning": f"Perhaps {draft_of(text)}? No."}

    def error(self, status: int, message: str, code: str | None = None, **headers: str) -> Fault:
        """See `Dialect.error`."""
        document = {"error": {"message": message, "type": "api_error", "param": None, "code": code}}
        return fault(status, document, **headers)

    def too_long(self, size: Overflow) -> Fault:
        """See `Dialect.too_long`; by default Ollama cuts the prompt without a word."""
        return self.error(
            400, f"the input length exceeds the context length ({size.prompt} > {size.context})"
        )

    def unknown_model(self, model: str) -> Fault:
        """See `Dialect.unknown_model`."""
        words = f'model "{model}" not found, try pulling it first'
        return fault(
            404, {"error": {"message": words, "type": "not_found_error", "param": None, "code": None}}
        )

    def unknown_address(self) -> Fault:
        """See `Dialect.unknown_address`."""
        return Fault(status=404, body="404 page not found")


class LlamaCpp(Dialect):
    """llama.cpp's server: one model under any name, answers 501 where something was not switched on."""

    name = "llama.cpp"
    output_limits = ("max_tokens", "max_completion_tokens")
    takes_any_model = True
    tells_context = True

    def message(self, text: str) -> Json:
        """See `Dialect.message`."""
        return {"role": "assistant", "content": text}

    def completion(self, model: str, text: str, tokens: Tokens) -> Json:
        """See `Dialect.completion`."""
        answer = super().completion(model, text, tokens)
        return {
            **answer,
            "system_fingerprint": "b1",
            "timings": {"prompt_n": tokens.prompt, "prompt_ms": 1.5},
        }

    def error(self, status: int, message: str, code: str | None = None, **headers: str) -> Fault:
        """See `Dialect.error`."""
        document = {"error": {"code": status, "message": message, "type": code or "invalid_request_error"}}
        return fault(status, document, **headers)

    def too_long(self, size: Overflow) -> Fault:
        """See `Dialect.too_long`."""
        words = (
            f"request ({size.prompt} tokens) exceeds the available context size ({size.context} tokens), "
            "try increasing it"
        )
        sizes = {"n_prompt_tokens": size.prompt, "n_ctx": size.context}
        return fault(
            400,
            {"error": {"code": 400, "message": words, "type": "exceed_context_size_error", **sizes}},
        )

    def wrong_key(self) -> Fault:
        """See `Dialect.wrong_key`."""
        return self.error(401, "Invalid API Key", "authentication_error")

    def unknown_address(self) -> Fault:
        """See `Dialect.unknown_address`."""
        return self.error(404, "File Not Found", "not_found_error")

    def overloaded(self) -> Fault:
        """See `Dialect.overloaded`; so it answers while it loads its model."""
        return self.error(503, "Loading model", "unavailable_error")

    def without_embeddings(self) -> Fault:
        """The answer of a server that was not started to embed."""
        words = "This server does not support embeddings. Start it with `--embeddings`"
        return self.error(501, words, "not_supported_error")

    def model_entry(self, name: str, context: int) -> Json:
        """See `Dialect.model_entry`."""
        meta = {"vocab_type": 2, "n_vocab": 49152, "n_ctx": context, "n_ctx_train": 8 * context}
        return {"id": name, "object": "model", "created": 1, "owned_by": "llamacpp", "meta": meta}


class ThinkTags(LlamaCpp):
    """A reasoning model behind a server that leaves its thoughts in the text."""

    name = "think-tags"

    def message(self, text: str) -> Json:
        """See `Dialect.message`."""
        return super().message(f"<think>\nPerhaps {draft_of(text)}? No.\n</think>\n\n{text}")


class OpenThinkTag(LlamaCpp):
    """The same where the prompt's template has opened the tag, so that the text only closes it."""

    name = "open-think-tag"

    def message(self, text: str) -> Json:
        """See `Dialect.message`."""
        return super().message(f"Perhaps {draft_of(text)}? No.\n</think>\n\n{text}")


class Harmony(LlamaCpp):
    """A gpt-oss model behind a server that leaves its channels in the text."""

    name = "harmony"

    def message(self, text: str) -> Json:
        """See `Dialect.message`."""
        thoughts = f"<|channel|>analysis<|message|>Perhaps {draft_of(text)}? No.<|end|>"
        return super().message(f"{thoughts}<|start|>assistant<|channel|>final<|message|>{text}<|return|>")


class DeepSeek(Dialect):
    """DeepSeek's reasoner: thoughts in a field, drafts included."""

    name = "deepseek"
    output_limits = ("max_tokens",)

    def refuse_body(self, body: Json) -> Fault | None:
        """See `Dialect.refuse_body`; schemas are not known there."""
        if body.get("response_format", {}).get("type") == "json_schema":
            return self.error(400, "This response_format type is unavailable now", "invalid_request_error")
        return None

    def message(self, text: str) -> Json:
        """See `Dialect.message`."""
        thoughts = f"Perhaps {draft_of(text)}? No."
        return {"role": "assistant", "content": f"```json\n{text}\n```", "reasoning_content": thoughts}

    def quota_used_up(self) -> Fault:
        """See `Dialect.quota_used_up`."""
        return self.error(402, "Insufficient Balance", "invalid_request_error")


class Mistral(Dialect):
    """Mistral's service: refuses what it does not know with 422, and tells the context."""

    name = "mistral"
    output_limits = ("max_tokens",)
    tells_context = True

    def message(self, text: str) -> Json:
        """See `Dialect.message`."""
        return {"role": "assistant", "tool_calls": None, "content": text}

    def unknown_argument(self, name: str, value: Json) -> Fault:
        """See `Dialect.unknown_argument`."""
        detail = {
            "type": "extra_forbidden",
            "loc": ["body", name],
            "msg": "Extra inputs are not permitted",
            "input": value,
        }
        return fault(
            422,
            {
                "object": "error",
                "message": {"detail": [detail]},
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            },
        )

    def error(self, status: int, message: str, code: str | None = None, **headers: str) -> Fault:
        """See `Dialect.error`."""
        document = {"object": "error", "message": message, "type": code or "invalid_request_error"}
        return fault(status, {**document, "param": None, "code": "3000"}, **headers)

    def too_long(self, size: Overflow) -> Fault:
        """See `Dialect.too_long`."""
        return self.error(
            400,
            f"Prompt contains {size.prompt} tokens and 0 draft tokens, too large for model with {size.context} "
            "maximum context length",
        )

    def wrong_key(self) -> Fault:
        """See `Dialect.wrong_key`."""
        return fault(401, {"detail": "Unauthorized"})

    def unknown_model(self, model: str) -> Fault:
        """See `Dialect.unknown_model`."""
        return self.error(400, f"Invalid model: {model}", "invalid_model")

    def unknown_address(self) -> Fault:
        """See `Dialect.unknown_address`."""
        return fault(404, {"message": "no Route matched with those values"})

    def rate_limited(self) -> Fault:
        """See `Dialect.rate_limited`."""
        words = "Service tier capacity exceeded for this model."
        return self.error(429, words, "service_tier_capacity_exceeded", retry_after_ms="1")

    def model_entry(self, name: str, context: int) -> Json:
        """See `Dialect.model_entry`."""
        entry = {"id": name, "object": "model", "created": 1, "owned_by": "mistralai"}
        return {**entry, "capabilities": {"completion_chat": True}, "max_context_length": context}


class Magistral(Mistral):
    """Mistral's reasoning models: the content is a list of thinking and text."""

    name = "magistral"

    def message(self, text: str) -> Json:
        """See `Dialect.message`."""
        thoughts = [{"type": "text", "text": f"Perhaps {draft_of(text)}? No."}]
        content = [{"type": "thinking", "thinking": thoughts}, {"type": "text", "text": text}]
        return {"role": "assistant", "tool_calls": None, "content": content}


class Anthropic(Dialect):
    """Anthropic's messages."""

    name = "anthropic"
    model = "anthropic:/some-model"
    base_path = ""

    def completion(self, model: str, text: str, tokens: Tokens) -> Json:
        """A message with these words."""
        del tokens
        return self.blocks(model, [{"type": "text", "text": text}])

    def tool_use(self, model: str, arguments: Json) -> Json:
        """A message that calls the tool."""
        block = {"type": "tool_use", "id": "toolu_1", "name": "answer", "input": arguments}
        return self.blocks(model, [block])

    def blocks(self, model: str, content: Json) -> Json:
        """A message."""
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": content,
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": 10,
                "cache_creation_input_tokens": 20,
                "cache_read_input_tokens": 30,
                "output_tokens": 5,
            },
        }

    def error(self, status: int, message: str, code: str | None = None, **headers: str) -> Fault:
        """See `Dialect.error`."""
        document = {"type": "error", "error": {"type": code or "invalid_request_error", "message": message}}
        return fault(status, {**document, "request_id": "req_1"}, **headers)

    def too_long(self, size: Overflow) -> Fault:
        """See `Dialect.too_long`."""
        return self.error(400, f"prompt is too long: {size.prompt} tokens > {size.context} maximum")

    def wrong_key(self) -> Fault:
        """See `Dialect.wrong_key`."""
        return self.error(401, "invalid x-api-key", "authentication_error")

    def unknown_model(self, model: str) -> Fault:
        """See `Dialect.unknown_model`."""
        return self.error(404, f"model: {model}", "not_found_error")

    def unknown_address(self) -> Fault:
        """See `Dialect.unknown_address`."""
        return self.error(404, "Not Found", "not_found_error")

    def quota_used_up(self) -> Fault:
        """See `Dialect.quota_used_up`."""
        return self.error(400, "Your credit balance is too low to access the Anthropic API.")

    def rate_limited(self) -> Fault:
        """See `Dialect.rate_limited`."""
        return self.error(
            429, "This request would exceed your rate limit.", "rate_limit_error", retry_after="0"
        )

    def overloaded(self) -> Fault:
        """See `Dialect.overloaded`."""
        return self.error(529, "Overloaded", "overloaded_error", retry_after="0")

    def refused_content(self) -> Fault:
        """See `Dialect.refused_content`."""
        return self.error(400, "Output blocked by content filtering policy")

    def models(self, names: tuple[str, ...], context: int) -> Json:
        """`GET /v1/models`."""
        del context
        created = {"type": "model", "created_at": "2026-01-01T00:00:00Z"}
        entries = [{**created, "id": name, "display_name": name} for name in names]
        return {"data": entries, "has_more": False, "first_id": names[0], "last_id": names[-1]}


class AnthropicThinking(Anthropic):
    """The same with thoughts before the answer."""

    name = "anthropic-thinking"

    def blocks(self, model: str, content: Json) -> Json:
        """See `Anthropic.blocks`."""
        (answer,) = content
        text = answer.get("text") or json.dumps(answer.get("input"))
        thoughts = {"type": "thinking", "thinking": f"Perhaps {draft_of(text)}? No.", "signature": "c2lnbmVk"}
        return super().blocks(model, [thoughts, answer])


DIALECTS: tuple[Dialect, ...] = (
    Dialect(),
    OpenAIReasoning(),
    Azure(),
    Anthropic(),
    AnthropicThinking(),
    VLLM(),
    VLLMReasoning(),
    Ollama(),
    LlamaCpp(),
    ThinkTags(),
    OpenThinkTag(),
    Harmony(),
    DeepSeek(),
    Mistral(),
    Magistral(),
)


def draft_of(text: str) -> str:
    """A draft that says the opposite of a verdict, or teaches something else than a lesson."""
    try:
        answer = json.loads(text)
    except ValueError:
        return text
    if "guidelines" in answer:
        return json.dumps({**answer, "guidelines": [{"text": DRAFT_RULE, "records": [0]}]})
    if isinstance(answer.get("value"), bool):
        return json.dumps({"rationale": DRAFT_RATIONALE, "value": not answer["value"]})
    return json.dumps({**answer, "rationale": DRAFT_RATIONALE})


def _loose_object(schema: Json) -> str | None:
    """The first object of a schema that does not require all its properties, or allows others."""
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        if set(schema.get("required", ())) != set(properties):
            return (
                "'required' is required to be supplied and to be an array including every key in properties."
            )
        if schema.get("additionalProperties") is not False:
            return "'additionalProperties' is required to be supplied and to be false."
        return next(filter(None, map(_loose_object, properties.values())), None)
    return _loose_object(schema["items"]) if "items" in schema else None
