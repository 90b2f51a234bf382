"""Flow B: feedback that has come to rest becomes a lesson, and the thread is told."""
