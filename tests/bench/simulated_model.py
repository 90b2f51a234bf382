"""A simulated language model that applies exactly what its prompt holds, be the prompt ours or the original's.

Judging, it goes by the guidelines on the record's thing and names them; where these disagree it tosses a coin; without
any it does as most of the shown cases in the record's manner (see `tests.bench.tacit`), without any of these as most on
its thing, and else it answers true. A share of the records, as asked, it judges the other way round. Distilling, it
reads each rationale as the rule it tells: it unites the records of a batch that tell the same one, in the first one's
words, and repeats no rule that the prompt lists as known. Where a prompt offers words for "confirms" and
"contradicts", it uses them. Of the guidelines in `tests.rule_pairs` it knows the meaning where it is asked to, else
each is a rule of its own.
"""

import hashlib
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.bench.rules import says_right, thing_in
from tests.bench.tacit import manner_in
from tests.rule_pairs.table import meaning_of, relation_between

RuleKey = tuple[str, bool]
"""A thing, and True if it may be promised; or a guideline of `tests.rule_pairs`, and True."""
KeyOf = Callable[[str], RuleKey | None]


def answer(
    system: str,
    user: str,
    failing: float = 0.0,
    salt: int = 0,
    *,
    paraphrases: bool = False,
    misreading: float = 0.0,
) -> str:
    """Answer a prompt as text; the share `failing` of distillations (by content and salt) is gibberish."""
    key_of = _key_by_meaning if paraphrases else _key_by_words
    if "<records>" in user:
        records = [(item["record"], item["reason"]) for item in _json_lines(user, "records")]
        known = [(item["rule"], item["text"]) for item in _json_lines(system, "rules")]
        return _gibberish(records, failing, salt) or json.dumps(_distilled(records, known, key_of))
    if "<pairs>" in user:
        pairs = _json_lines(user, "pairs")
        related = [
            {"pair": pair["pair"], "relation": _relation(pair["first"], pair["second"], key_of, paraphrases)}
            for pair in pairs
        ]
        return json.dumps({"pairs": related})
    if "distill a list of guidelines" in user + system:
        text = user + system
        records = [
            (int(number), reason)
            for number, reason in re.findall(r'"id": (\d+),.*?"rationale": "(.*?)",\n', text, re.DOTALL)
        ]
        known_rules = text.partition("already:")[2].partition("The new guidelines")[0]
        known = list(enumerate(re.findall(r"^ *- (.*)$", known_rules, re.MULTILINE)))
        return _gibberish(records, failing, salt) or json.dumps(
            _distilled_for_original(records, known, key_of)
        )
    if "<record>" in user:
        lines = [*_json_lines(system, "guidelines"), *_json_lines(user, "guidelines")]
        shown = {item["guideline"]: item["text"] for item in lines}
        cases = [(json.dumps(item["outputs"]), item["label"]) for item in _json_lines(user, "cases")]
        return _verdict(user.rpartition("<record>")[2], shown, cases, misreading)
    rules = re.findall(r"^ *- (.*)$", system.partition("Distilled Guidelines (")[2], re.MULTILINE)
    examples = [line for line in system.splitlines() if re.match(r" *Example \d+: ", line)]
    labels = [re.search(r"'result': '?(\w+)'?", line) for line in examples]
    cases = [
        (line, label[1].lower() == "true") for line, label in zip(examples, labels, strict=True) if label
    ]
    return _verdict(user, dict(enumerate(rules)), cases, misreading)


def _verdict(
    record: str, rules: Mapping[int, str], cases: Iterable[tuple[str, bool]], misreading: float
) -> str:
    thing = thing_in(record)
    followed = [number for number, rule in rules.items() if thing_in(rule) == thing]
    values = {says_right(rules[number]) for number in followed}
    labels = _precedents(record, cases)
    if values:
        value = values.pop() if len(values) == 1 else zlib.crc32(record.encode()) % 2 == 0
    else:
        value = labels.most_common(1)[0][0] if labels else True
    if zlib.crc32(f"misread {record}".encode()) < misreading * 2**32:
        value = not value
    reason = f"About {thing}."
    return json.dumps({"rationale": reason, "value": value, "result": value, "guidelines": followed})


def _precedents(record: str, cases: Iterable[tuple[str, bool]]) -> Counter[bool]:
    """Count the labels of the cases that a reader takes for precedents."""
    thing, manner, shown = thing_in(record), manner_in(record), list(cases)
    alike = Counter(label for text, label in shown if manner and manner_in(text) == manner)
    return alike or Counter(label for text, label in shown if thing_in(text) == thing)


def _relation(rule: str, other: str, key_of: KeyOf, paraphrases: bool) -> str:
    key, other_key = key_of(rule), key_of(other)
    if key is None or other_key is None or key[0] != other_key[0]:
        is_known = paraphrases and meaning_of(rule) and meaning_of(other)
        return relation_between(rule, other) if is_known else "different"
    return "same" if key == other_key else "opposite"


def _key_by_meaning(text: str) -> RuleKey | None:
    meaning = meaning_of(text)
    return (meaning, True) if meaning else _key_by_thing(text)


def _key_by_words(text: str) -> RuleKey | None:
    return (text, True) if meaning_of(text) else _key_by_thing(text)


def _key_by_thing(text: str) -> RuleKey | None:
    thing = thing_in(text)
    return (thing, says_right(text)) if thing else None


def _distilled(records: list[tuple[int, str]], known: list[tuple[int, str]], key_of: KeyOf) -> dict[str, Any]:
    groups, rules = _grouped(records, key_of), _numbers_by_rule(known, key_of)
    supports = [
        {"rule": rules[key], "records": numbers} for key, (_, numbers) in groups.items() if key in rules
    ]
    contradicts = [
        {"rule": rules[opposite], "records": numbers}
        for (thing, right), (_, numbers) in groups.items()
        if (opposite := (thing, not right)) in rules
    ]
    guidelines = [
        {"text": text, "records": numbers} for key, (text, numbers) in groups.items() if key not in rules
    ]
    alike: dict[RuleKey, list[int]] = {}
    for number, text in known:
        if key := key_of(text):
            alike.setdefault(key, []).append(number)
    same = [{"rules": numbers} for numbers in alike.values() if len(numbers) > 1]
    return {"guidelines": guidelines, "supports": supports, "contradicts": contradicts, "same": same}


def _distilled_for_original(
    records: list[tuple[int, str]], known: list[tuple[int, str]], key_of: KeyOf
) -> dict[str, Any]:
    rules = _numbers_by_rule(known, key_of)
    return {
        "guidelines": [
            {"guideline_text": text, "source_trace_ids": numbers}
            for key, (text, numbers) in _grouped(records, key_of).items()
            if key not in rules
        ]
    }


def _grouped(records: list[tuple[int, str]], key_of: KeyOf) -> dict[RuleKey, tuple[str, list[int]]]:
    groups: dict[RuleKey, tuple[str, list[int]]] = {}
    for number, reason in records:
        for text in (reason,) if meaning_of(reason) else re.split(r"(?<=\.) ", reason):
            if key := key_of(text):
                groups.setdefault(key, (text, []))[1].append(number)
                break
    return groups


def _numbers_by_rule(known: list[tuple[int, str]], key_of: KeyOf) -> Mapping[RuleKey, int]:
    return {key: number for number, text in known if (key := key_of(text))}


def _gibberish(records: list[tuple[int, str]], failing: float, salt: int) -> str | None:
    digest = hashlib.sha256(json.dumps([records, salt]).encode()).digest()
    share = int.from_bytes(digest[:4]) / 2**32
    return "I would rather talk about the weather." if share < failing else None


def _json_lines(text: str, name: str) -> list[dict[str, Any]]:
    inside = text.rpartition(f"<{name}>\n")[2].partition(f"</{name}>")[0] if f"<{name}>\n" in text else ""
    return [json.loads(line) for line in inside.splitlines() if line.strip()]
