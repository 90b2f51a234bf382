"""Every sentence that people can read: short, in plain words, and pinging nobody."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.blocks.primitives import SlackMessage
from memalign.records import WAITING_TEXT, Json
from tests.bot.blocks.block_examples import further_arguments, makers, register_types, text_objects

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "memalign", "storage")
NOT_FOR_PEOPLE = (
    "bot/listeners/own_values.py",
    "bot/replies/",
    "bot/sandbox/delivery/",
    "bot/sandbox/web_api/",
    "bot/sandbox/workspace/",
    "bot/slack/dispatch.py",
    "bot/slack/payload.py",
    "bot/slack/socket_mode.py",
    "bot/web/metrics.py",
    "memalign/memory/text_features.py",
    "memalign/models/answer_form.py",
    "memalign/models/distilling_task.py",
    "memalign/models/prompts.py",
    "memalign/verdict_words.py",
)
"""Modules whose texts are for models and programs, for reading what people write, or Slack's own, imitated."""
STORED_TEXTS = {WAITING_TEXT}
"""Texts that stores of earlier versions hold, and that other words stand for where people read."""
ONLY_IN_SLACK = ("bot/blocks/", "bot/listeners/", "bot/plain_text.py", "bot/thread_status.py")
LOG_METHODS = {"debug", "info", "warning", "error", "exception"}
CODE = re.compile(r"\(\?|\\[bswd]|\|.*\||^(?:SELECT|INSERT|DELETE|UPDATE|PRAGMA|CREATE|DROP|ALTER|\()|%\(")
"""Patterns, statements of SQL and formats of logs."""

MAX_WORDS = 25
MARK = "\u2038"
"""Stands for what is put into a sentence, such as names, ids and people's words; it is no word."""
CODE_SPAN = re.compile(r"`[^`]*`|\{\"[^}]*\}|\[ \"[^\]]*\" \]")
LINK = re.compile(r"<(?:https?://[^|>]*)\|([^>]*)>")
END_OF_SENTENCE = re.compile(rf"(?<=[.!?])[”)_*{MARK}]*\s+|\n| · ")
STATISTICS = "Cohen's kappa"

MENTION = re.compile(r"<[@!]")
CLASS_NAME = re.compile(r"\b(?:[A-Z][a-z]+){2,}\b|\b[A-Z]\w+(?:Error|Exception)\b")
NAMES_OF_PRODUCTS = {"LangSmith", "OpenTelemetry", "MemAlign", "WenQuanYi", "DejaVu"}
JARGON = re.compile(
    r"\b(?:[Tt]rue|[Ff]alse|null|None(?! of\b)|NaN|episodes?|distil\w*|payload|ephemeral|idempotent)\b"
)
"""Words of the code, for which plain ones stand in what people read."""
SLACK_JARGON = re.compile(
    r"\b(?:[a-z]+(?:_[a-z0-9]+)+|embed(?:s|ded|dings?)?|rationales?|kappa|bool(?:ean)?|retrieval)\b"
)
"""The same in Slack, where nobody knows settings: these may stand in code spans only."""


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text, with one word in the place of each code span and link."""
    for sentence in END_OF_SENTENCE.split(LINK.sub(r"\1", CODE_SPAN.sub("CODE", text))):
        if len(words_of(sentence)) > 1:
            yield sentence.strip()


def words_of(sentence: str) -> list[str]:
    return [word for word in sentence.split() if re.search(r"[^\W\d_]", word.replace(MARK, ""))]


def faults(text: str, *, in_slack: bool) -> list[str]:
    return [f"{fault}: {sentence}" for sentence in sentences(text) for fault in faults_of(sentence, in_slack)]


def faults_of(sentence: str, in_slack: bool) -> Iterator[str]:
    if (length := len(words_of(sentence))) > MAX_WORDS:
        yield f"{length} words"
    if MENTION.search(sentence):
        yield "mention"
    jargon = [*JARGON.findall(sentence), *CLASS_NAME.findall(sentence)]
    if in_slack and STATISTICS not in sentence:
        jargon += SLACK_JARGON.findall(sentence)
    if jargon := [word for word in jargon if word not in NAMES_OF_PRODUCTS]:
        yield f"jargon {jargon}"
    if in_slack and '"' in sentence:
        yield "straight quotes"


def literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and text of the literals that are no docstrings, log lines, patterns or representations."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant() as docstring):
                skipped.add(id(docstring))
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=method)) if is_no_speech(
                owner, method
            ):
                skipped |= {id(inner) for inner in ast.walk(node)}
            case ast.FunctionDef(name="__repr__"):
                skipped |= {id(inner) for inner in ast.walk(node)}
            case ast.JoinedStr(values=values):
                skipped |= {id(inner) for inner in values if isinstance(inner, ast.Constant)}
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=values, lineno=line) if id(node) not in skipped:
                yield (
                    line,
                    "".join(str(each.value) if isinstance(each, ast.Constant) else MARK for each in values),
                )
            case ast.Constant(value=str(text), lineno=line) if id(node) not in skipped:
                yield line, re.sub(r"\{\w*\}", MARK, text)


def is_no_speech(owner: str, method: str) -> bool:
    is_log_line = owner.strip("_").lower() == "log" and method in LOG_METHODS
    return is_log_line or (owner, method) == ("re", "compile")


def texts_in(place: str) -> Iterator[tuple[int, str]]:
    if place.startswith(NOT_FOR_PEOPLE):
        return
    for line, text in literals(ast.parse((ROOT / place).read_text(encoding="utf-8"))):
        if len(words_of(text)) > 2 and not CODE.search(text) and text not in STORED_TEXTS:
            yield line, text


def places(package: str) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / package).rglob("*.py"))]


@pytest.mark.parametrize("package", PACKAGES)
def test_sentences_in_the_code_are_short_and_plain(package: str) -> None:
    told = [
        f"{place}:{line}: {fault}"
        for place in places(package)
        for line, text in texts_in(place)
        for fault in faults(text, in_slack=place.startswith(ONLY_IN_SLACK))
    ]
    assert told == []


@pytest.fixture(autouse=True, scope="module")
def marked_records() -> None:
    register_types(st.just(MARK), st.just(MARK))


@pytest.mark.parametrize("make", list(makers()), ids=lambda make: make.__name__)
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_sentences_in_slack_are_short_and_plain(make: Callable[..., Json], data: st.DataObject) -> None:
    made = data.draw(st.builds(make, **further_arguments(st.just(MARK)).get(make, {})))
    texts = [each["text"] for each in text_objects(made)]
    if isinstance(made, SlackMessage):
        texts.append(made.text)
    assert [fault for text in texts for fault in faults(text, in_slack=True)] == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("The value true is a placeholder, not a judgement.", 1),
        ("Counted: False is right. Your vote is None.", 2),
        ("Which of the episodes is to be distilled again?", 1),
        ("No channel: ClientConnectorDNSError came.", 1),
        ("Set embedding_dim higher. Set `embedding_dim` higher.", 1),
        ('I know no trace "x" here.', 1),
        ("Thanks, <@U1> and <!channel>.", 1),
        (f"{'word ' * 26}. {'word ' * 25}", 1),
        (f"{'word ' * 25} {MARK} {MARK} `a b c`", 1),
        (f"{'word ' * 24} {MARK} {MARK} `a b c`", 0),
        ("None of the 3 cards waits. Beyond chance: Cohen's kappa 0.26.", 0),
        ("Type `/memalign why <trace_id>`, or say “why?”.", 0),
    ],
)
def test_a_sentence_that_is_long_or_no_plain_english_is_found(text: str, number: int) -> None:
    assert len(faults(text, in_slack=True)) == number


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("bot/blocks/commands.py", "What you can ask me"),
        ("bot/cli/backup.py", "There is no folder"),
        ("bot/listeners/judge_access.py", "There is no judge named"),
        ("bot/reports/status.py", "refused by the model"),
        ("memalign/models/local/explanations.py", "Not judged yet"),
        ("storage/engines/folder_lock.py", "Another memalign is using the store"),
    ],
)
def test_sentences_are_looked_for_where_the_bot_speaks(place: str, words: str) -> None:
    assert any(words in text for _, text in texts_in(place))
