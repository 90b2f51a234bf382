"""Why the sandbox says no.

Refused         a request Slack would refuse: a code for programs, a sentence for people
  TimedOut      the app did not acknowledge a command or an interaction in time
"""

from bot.sandbox.workspace.records import Payload


class Refused(Exception):  # noqa: N818 - it is told to people and programs, most often it is no fault of ours
    """Slack would not do this.

    `code` is the Web API's error code, `sentence` says it to a person, `details` joins the Web API's answer.
    """

    def __init__(self, code: str, sentence: str = "", **details: object) -> None:
        self.code = code
        self.sentence = sentence or f"Slack refuses this: {code}."
        self.details: Payload = details
        super().__init__(f"{code}: {self.sentence}")


class TimedOut(Refused):
    """The app sent no acknowledgement within the time Slack gives it."""

    def __init__(self, what: str) -> None:
        super().__init__("operation_timeout", f'{what} failed with the error "operation_timeout".')


def invalid_arguments(*messages: str) -> Refused:
    """Build the answer to arguments that cannot be read or are missing."""
    listed = [f"[ERROR] {message}" for message in messages]
    return Refused("invalid_arguments", "; ".join(messages) + ".", response_metadata={"messages": listed})
