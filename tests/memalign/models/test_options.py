"""Options of a model: their keys, what is refused, and what a file holds of them."""

import copy
import pickle

import pytest

from memalign.errors import ModelRefusedError, SettingsError
from memalign.models import DEFAULT_OPTIONS, ModelOptions, model_options_of, option_keys
from memalign.records import Json

SECRET = "sk-very-secret"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timeout_second": 5}, "did you mean timeout_seconds?"),
        ({"baseurl": "http://a"}, "did you mean base_url?"),
        ({"zzz": 1}, "expected one of base_url, api_key_env"),
        ({"base_url": "example.com"}, "base_url is no address"),
        ({"base_url": 5}, "base_url is no address"),
        ({"base_url": f"https://ana:{SECRET}@example.com"}, "base_url holds a user name or password"),
        ({"api_key_env": SECRET}, "not the key itself"),
        ({"context_tokens": 0}, "context_tokens: expected a whole number of at least 1, found 0"),
        ({"max_output_tokens": True}, "max_output_tokens: expected a whole number of at least 1, found True"),
        ({"max_output_tokens": "12"}, "max_output_tokens: expected a whole number"),
        ({"timeout_seconds": 0}, "timeout_seconds: expected a number of seconds above 0"),
        ({"timeout_seconds": float("inf")}, "timeout_seconds: expected"),
        ({"timeout_seconds": float("nan")}, "timeout_seconds: expected"),
        ({"structured": "json"}, "structured: expected one of auto, json_schema, json_object, tool, none"),
        ({"structured": []}, "structured: expected one of"),
        ({"headers": "X: 1"}, "headers: expected values by name"),
        ({"headers": {"X Y": SECRET}}, "headers: 'X Y' is no name of an HTTP header"),
        ({"headers": {"X": f"{SECRET}\r\nY: 1"}}, "headers: the value of X is no text"),
        ({"headers": {"X": 1}}, "headers: the value of X is no text"),
        ({"headers": {"X": f"env:{SECRET}"}}, "name of an environment variable"),
        ({"params": [1]}, "params: expected values by name"),
        ({"params": {"stream": True}}, "params: stream cannot be set"),
        ({"params": {"extra_headers": {}}}, "params: extra_headers cannot be set; use headers"),
        ({"params": {"extra_body": {"stream": True}}}, "params: stream cannot be set"),
        ({"params": {"extra_body": 5}}, "params: expected values by name in extra_body"),
        ({"params": {"a": float("nan")}}, "params: expected what JSON can hold"),
        ({"params": {"a": object()}}, "params: expected what JSON can hold"),
    ],
)
def test_what_is_no_option_is_refused_in_a_sentence_without_secrets(options: Json, words: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        model_options_of(options)
    assert words in str(refusal.value)
    assert SECRET not in str(refusal.value)
    assert str(refusal.value).endswith(".")
    assert "\n" not in str(refusal.value)


def test_options_are_what_was_given_and_otherwise_the_defaults() -> None:
    assert model_options_of(None) == model_options_of({}) == ModelOptions() == DEFAULT_OPTIONS
    options = model_options_of({"timeout_seconds": 5, "params": {"temperature": 0}})
    assert (options.timeout_seconds, options.structured, options.params) == (5, "auto", {"temperature": 0})
    assert model_options_of(options) is options


def test_options_do_not_change_with_what_they_were_made_of() -> None:
    params: dict[str, Json] = {"extra_body": {"top_k": 1}}
    options = ModelOptions(params=params)
    params["extra_body"]["top_k"] = 2
    assert options.params == {"extra_body": {"top_k": 1}}


def test_options_can_be_copied_pickled_and_hashed() -> None:
    options = ModelOptions(headers={"X": "env:GATEWAY"}, params={"a": [1]})
    assert copy.deepcopy(options) == pickle.loads(pickle.dumps(options)) == options  # noqa: S301
    assert len({options, ModelOptions(headers={"X": "env:GATEWAY"}, params={"a": [1]})}) == 1


def test_a_header_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    options = ModelOptions(headers={"X": "env:GATEWAY", "Y": "plain"})
    with pytest.raises(ModelRefusedError, match="The header X needs a value; set GATEWAY"):
        options.resolved_headers()
    monkeypatch.setenv("GATEWAY", " value ")
    assert options.resolved_headers() == {"X": "value", "Y": "plain"}


def test_a_file_holds_what_is_set_without_literal_headers() -> None:
    options = ModelOptions(timeout_seconds=5, headers={"X": "env:GATEWAY", "Y": SECRET})
    assert options.to_document() == {"timeout_seconds": 5, "headers": {"X": "env:GATEWAY"}}
    assert SECRET not in repr(options)
    assert ModelOptions().to_document() == {}


def test_the_options_are_those_of_the_settings() -> None:
    assert set(option_keys()) == {
        "base_url",
        "api_key_env",
        "context_tokens",
        "max_output_tokens",
        "timeout_seconds",
        "structured",
        "headers",
        "params",
    }
