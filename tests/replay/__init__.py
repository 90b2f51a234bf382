"""People's labels on real answers, replayed over simulated weeks through the embedded workspace.

`python -m tests.replay FILE.jsonl --weeks 12 --out FOLDER` needs a file of feedback lines (docs: "Traces and feedback
as files"). Each digest is compared with figures that `tests.replay.oracle` computes from what people did.
"""
