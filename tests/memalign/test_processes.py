"""Judges in several processes: forked, spawned, served by a fork server, and in a pool.

Each script runs in a process of its own, with a time limit that ends it and its children.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.model_server import ModelServer

SECONDS = 60

pytestmark = pytest.mark.usefixtures("server")

SETUP = """
    import asyncio, multiprocessing, os, pickle, sys, threading, time, warnings
    from memalign import Assessment, MemAlignOptimizer, Trace, make_judge

    # newer Pythons warn of every fork of a process with threads
    warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*fork.*")

    def trace(name, value=False):
        vote = Assessment(name="politeness", value=value, rationale=f"Mind {name}.", source_id="ana")
        return Trace(trace_id=name, inputs=f"question {name}", outputs=f"answer {name}", assessments=[vote])

    MODELS = {
        "remote": ("openai:/m", "openai:/r", "openai:/e"),
        "anthropic": ("anthropic:/m", "anthropic:/r", "openai:/e"),
        "local": ("local:/cases", "local:/extract", "local:/wordllama"),
    }

    def aligned(kind, count=4):
        model, reflection_lm, embedding_model = MODELS[kind]
        judge = make_judge("politeness", "{{ inputs }} {{ outputs }}", model, feedback_value_type=bool)
        optimizer = MemAlignOptimizer(reflection_lm, 5, embedding_model, 64)
        return judge.align([trace(f"tr-{n}", n % 2 == 0) for n in range(count)], optimizer)

    def ask(judge, number):
        verdict = judge(inputs=f"question {number}", outputs="answer")
        return len(judge.episodes) if verdict.rationale else verdict

    def in_fork(work):
        pid = os.fork()
        if pid == 0:
            work()
            sys.stdout.flush()
            sys.exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert status == 0, status
"""


def run(script: str, folder: Path) -> str:
    """Run a script; what it printed. A hanging one is ended, with its children."""
    file = folder / "script.py"
    file.write_text(dedent(SETUP) + dedent(script), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-W", "error", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        out, err = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        pytest.fail(f"The script hangs. It wrote: {out} {err}")
    assert (process.returncode, err) == (0, "")
    return out


KINDS = pytest.mark.parametrize("kind", ["remote", "anthropic", "local"])


@KINDS
def test_a_process_forked_after_a_call_judges_and_learns(tmp_path: Path, kind: str) -> None:
    script = f"""
        judge = aligned({kind!r})
        ask(judge, 1)

        def work():
            before = ask(judge, 1)
            learned = judge.align([trace("new", True)])
            print(before, list(learned.episodes)[-1], ask(learned, 2), learned.unalign(["new"]).pending)

        in_fork(work)
        in_fork(work)
        print("parent", ask(judge, 3))
    """
    assert run(script, tmp_path).splitlines() == ["4 new 5 {}", "4 new 5 {}", "parent 4"]


@KINDS
def test_parent_and_children_judge_at_the_same_time(tmp_path: Path, kind: str) -> None:
    script = f"""
        judge = aligned({kind!r})
        ask(judge, 1)
        children = []
        for _ in range(3):
            pid = os.fork()
            if pid == 0:
                assert all(ask(judge, n)== 4 for n in range(5))
                sys.exit(0)
            children.append(pid)
        assert all(ask(judge, n)== 4 for n in range(20))
        print([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children])
        assert all(ask(judge, n)== 4 for n in range(20, 40))
    """
    assert run(script, tmp_path).strip() == "[0, 0, 0]"


def test_a_fork_while_other_threads_ask_does_not_wait_for_their_answers(
    server: ModelServer, tmp_path: Path
) -> None:
    server.chat_seconds = server.embedding_seconds = 0.3
    script = """
        judge = aligned("remote")
        threads = [threading.Thread(target=ask, args=(judge, 7)) for _ in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.1)
        in_fork(lambda: print(ask(judge, 7)))
        for thread in threads:
            thread.join()
        print(ask(judge, 7))
    """
    assert run(script, tmp_path).split() == ["4", "4"]


def test_a_child_of_a_child_judges(tmp_path: Path) -> None:
    script = """
        judge = aligned("remote")
        in_fork(lambda: (ask(judge, 1), in_fork(lambda: print(ask(judge, 2)))))
        print(ask(judge, 3))
    """
    assert run(script, tmp_path).split() == ["4", "4"]


def test_a_fork_inside_a_running_loop_judges(tmp_path: Path) -> None:
    script = """
        judge = aligned("remote")

        async def main():
            await judge.acall(inputs="q", outputs="a")
            child = multiprocessing.get_context("fork").Process(target=lambda: print(ask(judge, 1)))
            child.start()
            child.join()
            print((await judge.acall(inputs="q", outputs="a")).rationale)

        asyncio.run(main())
    """
    assert run(script, tmp_path).split() == ["4", "simulated"]


@pytest.mark.parametrize(
    ("method", "kind"), [("fork", "local"), ("spawn", "remote"), ("forkserver", "anthropic")]
)
def test_a_pool_of_processes_takes_judges_and_gives_verdicts(tmp_path: Path, method: str, kind: str) -> None:
    script = f"""
        if __name__ == "__main__":
            judge = aligned({kind!r})
            ask(judge, 0)
            with multiprocessing.get_context({method!r}).Pool(2) as pool:
                answers = pool.starmap(ask, [(judge, number) for number in range(6)])
                learned = pool.apply(judge.align, ([trace("new", True)],))
            print(set(answers), len(answers), list(learned.episodes)[-1], ask(learned, 1))
    """
    assert run(script, tmp_path).strip() == "{4} 6 new 5"


def test_what_a_judge_raises_in_a_pool_is_raised_here(tmp_path: Path) -> None:
    script = """
        from memalign.errors import InputError

        if __name__ == "__main__":
            judge = make_judge("politeness", "{{ inputs }} {{ expectations }}", "openai:/m")
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                try:
                    pool.apply(judge.align, ([],))
                except InputError as error:
                    print(error)
    """
    assert run(script, tmp_path).startswith("No traces were given")
