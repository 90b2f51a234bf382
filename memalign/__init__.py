"""Judges that learn from people's feedback: guidelines and episodes, learned and forgotten trace by trace."""

from memalign.errors import MemAlignError
from memalign.optimizer import AlignedJudge, MemAlignOptimizer, load_judge, make_judge
from memalign.records import Assessment, Guideline, Lesson, Trace, Verdict

__all__ = [
    "AlignedJudge",
    "Assessment",
    "Guideline",
    "Lesson",
    "MemAlignError",
    "MemAlignOptimizer",
    "Trace",
    "Verdict",
    "load_judge",
    "make_judge",
]
