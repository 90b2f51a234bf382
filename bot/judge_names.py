"""The present names of judges: messages of earlier days, and applications, may know a judge by a former one. Pure."""

import hashlib
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeNames:
    """The judges of the settings, and names that were given up."""

    known: Collection[str]
    renamed: Mapping[str, str] = field(default_factory=dict)
    """For each name that was given up the one that its judge was given then."""

    def current(self, name: str) -> str:
        """Return the present name of a judge; the name itself where it was never given up."""
        while name not in self.known and name in self.renamed:
            name = self.renamed[name]
        return name

    def of_short(self, short: str) -> str:
        """Return the present name of the judge whose name has that `short_name`; empty where nobody knows it."""
        names = (*self.known, *self.renamed)
        return next((self.current(name) for name in names if short_name(name) == short), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RenamingOffer:
    """A judge that has learned, and that the settings name no more, while others there have learned nothing yet."""

    old: str
    guidelines: int
    cases: int
    candidates: tuple[str, ...]
    """The names in the settings that it may have now."""

    @property
    def sentence(self) -> str:
        """The offer in words."""
        number, noun = (self.guidelines, "guideline") if self.guidelines else (self.cases, "case")
        learned = f"{number} {noun}" if number == 1 else f"{number} {noun}s"
        new = shlex.quote(self.candidates[0]) if len(self.candidates) == 1 else "NEW"
        return (
            f"The judge {self.old} has {learned} and is no longer in the settings; if it is called "
            f"{' or '.join(self.candidates)} now, run `memalign rename-judge {shlex.quote(self.old)} {new}`."
        )


def short_name(judge: str) -> str:
    """Return a hash of a judge's name, for places too narrow for the name: 8 hexadecimal digits."""
    return hashlib.sha256(judge.encode("utf-8", "surrogatepass")).hexdigest()[:8]
