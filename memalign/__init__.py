"""Judges that learn from people's feedback: guidelines and episodes, learned and forgotten trace by trace."""

from memalign.optimizer import make_judge
from memalign.records import Assessment, Trace

__all__ = ["Assessment", "Trace", "make_judge"]
