"""Errors Slack answers with.

SlackError            a request Slack would refuse: a code for programs, a sentence for people
  AckTimeoutError     the app did not acknowledge a command or an interaction in time
"""

from bot.sandbox.workspace.records import Payload


class SlackError(Exception):
    """A request that Slack refuses.

    Args:
        code: the Web API's error code.
        sentence: the same for a person; by default it names the code.
        details: further fields of the Web API's answer.

    """

    def __init__(self, code: str, sentence: str = "", **details: object) -> None:
        self.code = code
        self.sentence = sentence or f"Slack refuses this: {code}."
        self.details: Payload = details
        super().__init__(f"{code}: {self.sentence}")


class AckTimeoutError(SlackError):
    """The app did not acknowledge within the time Slack allows; `subject` names what failed."""

    def __init__(self, subject: str) -> None:
        super().__init__("operation_timeout", f'{subject} failed with the error "operation_timeout".')


def invalid_arguments(*messages: str) -> SlackError:
    """Return the error for arguments that are unreadable or missing."""
    listed = [f"[ERROR] {message}" for message in messages]
    return SlackError("invalid_arguments", "; ".join(messages) + ".", response_metadata={"messages": listed})
