"""The error tree.

    MemAlignError                 one sentence fit for a person: what happened, which id, what to do
    ├── SettingsError             a setting, a judge or an argument is wrong
    │   └── TemplateError         a judge's instructions name a variable that does not exist
    ├── InputError                a trace, a feedback line or a request cannot be used
    ├── UnknownTraceError         nothing is known of that trace
    ├── UnknownGuidelineError     the judge has no such guideline
    ├── UnknownVersionError       the judge's memory has no such version
    ├── ModelError                a language or embedding model did not answer usefully
    │   ├── ModelUnavailableError      … for now (no connection, 429, asked to wait): worth another try
    │   │   └── RequestFailedError     … at this request (5xx, time limit): it may be down, or stumble over the content
    │   ├── ModelRefusedError          … and will not (wrong key, unknown model, unpaid bill, request refused)
    │   │   └── RequestRefusedError    … this request; another one may pass
    │   │       └── PromptTooLongError     … since it is longer than the model's context
    │   │       └── ContentRefusedError    … for what it says
    │   ├── MalformedAnswerError       … with what was asked for
    │   └── ForgottenMeanwhileError    … since something was forgotten that its prompt may hold
    └── StorageError              the store cannot be opened, read or written
        └── StaleMemoryError      another writer has changed the memory since it was read

Any other exception is a bug.
"""

from collections.abc import Collection


class MemAlignError(Exception):
    """The root: its text is one sentence that may be shown to a person, remedy included."""

    def __reduce__(self) -> tuple[object, ...]:
        """Return what a copy or a pickle is made from: an error is not made anew, which may take more than a text."""
        return self.__class__.__new__, (self.__class__, *self.args), vars(self)


class SettingsError(MemAlignError):
    """A setting, a judge's definition or an argument is wrong."""


class TemplateError(SettingsError):
    """A judge's instructions use a variable that does not exist, or none at all."""


class InputError(MemAlignError):
    """A trace, a feedback line or a request cannot be used as it is."""


class UnknownTraceError(MemAlignError):
    """Nothing is known of the named trace."""


class UnknownGuidelineError(MemAlignError):
    """The judge has no guideline of that id."""


class UnknownVersionError(MemAlignError):
    """The judge's memory has no version of that number."""


class ModelError(MemAlignError):
    """A language or embedding model did not answer usefully."""


class ModelUnavailableError(ModelError):
    """The model cannot be reached or is overloaded; the same call may work later.

    Args:
        message: The sentence for a person.
        retry_after: Seconds after which the service asks to be called again; None if it did not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RequestFailedError(ModelUnavailableError):
    """The service failed at this request: it is down, or it stumbles over what this request holds.

    Args:
        message: The sentence for a person, for as long as nothing more is known.
        blame: The sentence for a person where the service answers other requests.
        retry_after: As for `ModelUnavailableError`.
    """

    def __init__(self, message: str, *, blame: str, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.blame = blame


class ModelRefusedError(ModelError):
    """The model's service refuses the call (key, model name, bill, content); trying again will not help."""


class MissingKeyError(ModelRefusedError):
    """The key of a model's service is not set.

    Args:
        message: The sentence, remedy included.
        variable: The environment variable that holds the key.
    """

    def __init__(self, message: str, *, variable: str) -> None:
        super().__init__(message)
        self.variable = variable


class RequestRefusedError(ModelRefusedError):
    """The model's service refuses this request (its content, its length); another one may pass."""


class PromptTooLongError(RequestRefusedError):
    """The prompt, with the room for its answer, does not fit the model's context; a shorter one may.

    Args:
        message: The sentence for a person.
        context_tokens: The limit that the service named; None if it named none.
        prompt_tokens: The length that the service counted; None if it did not say.
    """

    def __init__(
        self, message: str, *, context_tokens: int | None = None, prompt_tokens: int | None = None
    ) -> None:
        super().__init__(message)
        self.context_tokens = context_tokens
        self.prompt_tokens = prompt_tokens


class ContentRefusedError(RequestRefusedError):
    """The model, or its service's content filter, refuses to deal with what this request says."""


class MalformedAnswerError(ModelError):
    """The model answered, but not in the form that was asked for."""


class ForgottenMeanwhileError(ModelError):
    """A call was ended since something was forgotten that its prompt may hold: make it anew by the present memory.

    Args:
        message: The sentence.
        trace_ids: The traces that were forgotten.
    """

    def __init__(self, message: str, *, trace_ids: Collection[str]) -> None:
        super().__init__(message)
        self.trace_ids = trace_ids


class StorageError(MemAlignError):
    """The store cannot be opened, read or written."""


class StaleMemoryError(StorageError):
    """Another writer has changed the judge's memory since it was loaded: load it and try again."""
