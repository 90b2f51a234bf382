"""Labels of an export that stand apart from their traces, until these come."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.conversion.records import SeparateLabel
from memalign.records import Assessment


@dataclass(slots=True)
class SeparateLabels:
    """Labels by the ids of what they are on: a span, or its trace."""

    by_target: dict[str, list[SeparateLabel]] = field(default_factory=dict)
    count: int = 0
    """Number of labels whose trace has not come."""

    def add(self, label: SeparateLabel) -> None:
        """Keep a label."""
        self.count += 1
        for target_id in label.target_ids:
            self.by_target.setdefault(target_id, []).append(label)

    def take(self, target_ids: Iterable[str]) -> list[Assessment]:
        """Return the labels on a trace or on its spans, in the order of the export; they are gone from here then."""
        taken: dict[int, SeparateLabel] = {}
        for target_id in target_ids:
            taken.update({id(each): each for each in self.by_target.pop(target_id, ())})
        for label in taken.values():
            for target_id in label.target_ids:
                others = [each for each in self.by_target.pop(target_id, ()) if id(each) not in taken]
                self.by_target.update({target_id: others} if others else {})
        self.count -= len(taken)
        return [label.assessment for label in taken.values()]
