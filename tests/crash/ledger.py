"""Everything the bot acknowledged to the world outside: the yardstick of the crash test."""

import statistics
from dataclasses import dataclass, field

from bot.sandbox import Delivery, Message, SlackServer
from memalign.records import Json

Place = tuple[str, str]
"""Channel and time of a message."""


@dataclass(kw_only=True, slots=True)
class Ledger:
    """Grows with every answer."""

    accepted: set[str] = field(default_factory=set)
    """Traces answered 202."""
    forgotten: set[str] = field(default_factory=set)
    """Traces whose forgetting was acknowledged."""
    perhaps_forgotten: set[str] = field(default_factory=set)
    """Traces whose forgetting was asked for, without an answer."""
    pressed: set[Place] = field(default_factory=set)
    """Cards on which a press of 👍 was acknowledged."""
    unsaid: set[str] = field(default_factory=set)
    """Words of the person whose forgetting was acknowledged after they were written."""
    calls_when_gone: dict[str, int] = field(default_factory=dict)
    """Trace id -> calls that models had had when its forgetting was known to be asked for, and the bot was dead."""
    seen: int = 0
    """Deliveries gone through so far."""
    unchecked: list[Delivery] = field(default_factory=list)
    """Acknowledged events that were not looked for in the store yet."""
    acked: int = 0

    def collect(self, slack: SlackServer) -> None:
        """Take in what was acknowledged since; what is still under way comes with the next call."""
        while self.seen < len(slack.deliveries):
            delivery = slack.deliveries[self.seen]
            if not delivery.acked and delivery.failure is None:
                break
            self.seen += 1
            if delivery.acked and delivery.type == "events_api":
                self.acked += 1
                self.unchecked.append(delivery)


@dataclass(kw_only=True, slots=True)
class Tally:
    """Counts of what was tried, and the faults."""

    kills: int = 0
    acked_events: int = 0
    accepted_traces: int = 0
    acked_forgets: int = 0
    words_taken_back: int = 0
    cards: int = 0
    lessons: int = 0
    digests: int = 0
    shadows: int = 0
    model_calls: int = 0
    bytes_searched: int = 0
    takeovers: list[float] = field(default_factory=list)
    """Seconds from a kill until others had all duties of the process."""
    database_failures: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)

    def __add__(self, other: "Tally") -> "Tally":
        """Both."""
        return Tally(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})

    def in_words(self) -> str:
        """The figures, and the first of what went wrong."""
        figures = {name: getattr(self, name) for name in self.__slots__}
        counts = {name: len(value) if isinstance(value, list) else value for name, value in figures.items()}
        if self.takeovers:
            worst, middle = max(self.takeovers), statistics.median(self.takeovers)
            counts["takeovers"] = f"{len(self.takeovers)} (median {middle:.2f} s, worst {worst:.2f} s)"
        wrong = [
            f"  {name}: {entry}" for name in ("lost", "doubled", "unfinished") for entry in figures[name][:20]
        ]
        return "\n".join([", ".join(f"{name} {count}" for name, count in counts.items()), *wrong])


def payload_of(message: Message) -> dict[str, Json]:
    """The mark that the bot put on a message of its own."""
    return dict((message.metadata or {}).get("event_payload") or {})
