"""The two memories: guidelines (semantic) and labelled cases (episodic)."""
