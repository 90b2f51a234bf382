"""The loop with a real small language model, SmolLM2-135M-Instruct; `make test-llm` runs it."""
