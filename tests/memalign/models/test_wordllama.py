"""The embedder that needs no network."""

import logging
import subprocess
import sys

import numpy as np
import pytest

from memalign.models.local.wordllama import WordLlamaEmbedder

AWKWARD = ["\n", "\u200b", "日本語 🙂", "\ud800", "\x00", "a" * 300_000, ""]


async def test_vectors_are_of_length_one_and_of_the_announced_dimension() -> None:
    embedder = WordLlamaEmbedder()
    vectors = (await embedder.embed(["How do I renew a visa?", "Wash your hands."])).vectors
    assert vectors.shape == (2, embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


async def test_texts_of_one_meaning_are_closer_than_texts_of_two() -> None:
    texts = ["How do I renew my visa?", "Extending a visa", "The cake needs more sugar"]
    visa, extension, cake = (await WordLlamaEmbedder().embed(texts)).vectors
    assert visa @ extension > visa @ cake + 0.2


@pytest.mark.parametrize("text", AWKWARD, ids=[ascii(text)[:12] for text in AWKWARD])
async def test_any_text_gives_a_finite_vector_of_length_one(text: str) -> None:
    (vector,) = (await WordLlamaEmbedder().embed([text])).vectors
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


async def test_a_text_without_tokens_resembles_no_real_text() -> None:
    nothing, something = (
        await WordLlamaEmbedder().embed(["", "Wash your hands for twenty seconds."])
    ).vectors
    assert abs(nothing @ something) < 0.3


async def test_a_vector_does_not_depend_on_its_neighbours() -> None:
    embedder = WordLlamaEmbedder()
    alone = (await embedder.embed(["Short."])).vectors[0]
    beside = (await embedder.embed(["A much longer text than the other one, by far.", "Short."])).vectors[1]
    assert np.array_equal(alone, beside)


async def test_tokens_are_counted_as_the_tokenizer_makes_them() -> None:
    embedder = WordLlamaEmbedder()
    single = (await embedder.embed(["visa"])).usage.embedding_tokens
    both = (await embedder.embed(["visa", "visa visa visa"])).usage.embedding_tokens
    assert single >= 1
    assert both == 4 * single


async def test_no_texts_give_no_vectors() -> None:
    embedded = await WordLlamaEmbedder().embed([])
    assert embedded.vectors.shape == (0, 256)
    assert embedded.usage.embedding_tokens == 0


def test_loading_leaves_the_programs_logging_alone_and_importing_loads_nothing() -> None:
    script = (
        "import logging, sys, asyncio\n"
        "from memalign.models.local.wordllama import WordLlamaEmbedder\n"
        "assert 'tokenizers' not in sys.modules\n"
        "asyncio.run(WordLlamaEmbedder().embed(['visa']))\n"
        "assert 'tokenizers' in sys.modules\n"
        "root = logging.getLogger()\n"
        f"assert root.handlers == [] and root.level == {logging.WARNING}, (root.handlers, root.level)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_another_thread_logs_while_it_loads_is_shown_as_before() -> None:
    script = (
        "import asyncio, logging, sys, threading\n"
        "from memalign.models.local.wordllama import WordLlamaEmbedder\n"
        "loaded = threading.Event()\n"
        "def log():\n"
        "    while not loaded.wait(0.001):\n"
        "        logging.getLogger('another').info('a step')\n"
        "        if 'tokenizers' in sys.modules:\n"
        "            logging.getLogger('another').warning('trouble')\n"
        "thread = threading.Thread(target=log)\n"
        "thread.start()\n"
        "asyncio.run(WordLlamaEmbedder().embed(['visa']))\n"
        "loaded.set()\n"
        "thread.join()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert set(done.stderr.splitlines()) == {"trouble"}


def test_loading_asks_nothing_of_the_network() -> None:
    script = (
        "import asyncio, socket, sys\n"
        "from memalign.models.local.wordllama import WordLlamaEmbedder\n"
        "asked = []\n"
        "watched = ('socket.connect', 'socket.getaddrinfo')\n"
        "sys.addaudithook(lambda event, args: asked.append(args) if event in watched else None)\n"
        "assert asyncio.run(WordLlamaEmbedder().embed(['visa'])).vectors.shape == (1, 256)\n"
        "assert asked == [], asked\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
