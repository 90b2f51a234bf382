"""The bodies of requests that a command on the same machine sends to the running bot."""

from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.web.request_error import RequestError


class ControlArguments(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(strict=True)
    form: ClassVar[str]
    """The sentence on what to send."""


ArgumentsT = TypeVar("ArgumentsT", bound=ControlArguments)


def read_arguments(kind: type[ArgumentsT], body: bytes) -> ArgumentsT:
    """Parse a body. Raises `RequestError` with the sentence on what to send."""
    try:
        return kind.model_validate_json(body)
    except ValidationError:
        raise RequestError(400, kind.form) from None
