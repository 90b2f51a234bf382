"""Answers of models, by kind, each with its value for a judge of yes or no; None where a doubt is left."""

import json

D = '{"rationale": "draft", "value": true}'
F = '{"rationale": "final", "value": false}'
CLIPPED = '{"rationale": "cut'

Sample = tuple[str, bool | None]

THINKING: list[Sample] = [
    *[
        (f"{begin}maybe {D}? no.{end}\n{F}", False)
        for begin, end in (
            ("<think>", "</think>"),
            ("<thinking>\n", "\n</thinking>"),
            ("<reasoning>", "</reasoning>"),
            ("<Thought>", "</Thought>"),
            ("<reflection>", "</reflection>"),
            ("<seed:think>", "</seed:think>"),
            ("[THINK]", "[/THINK]"),
            ("<|begin_of_thought|>", "<|end_of_thought|>"),
            ("<|START_THINKING|>", "<|END_THINKING|>"),
            ("◁think▷", "◁/think▷"),
            ("<unused94>thought\n", "<unused95>"),
            ("", "</think>"),
            ("", "[/THINK]"),
            ("<think>a<think>b</think>", "</think>"),
            ("<think>a</think>so:", "</think>"),
            ("<antThinking>", "</antThinking>"),
            ("<thought_process>", "</thought_process>"),
            ("<chain_of_thought>", "</chain_of_thought>"),
            ("<|think|>", "<|/think|>"),
            ("<|channel>thought\n", "<channel|>"),
            ('<details type="reasoning" done="true"><summary>Thought for 3 s</summary>', "</details>"),
            ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
            ("<|channel|>analysis<|message|>", "<|end|><|channel|>final <|constrain|>json<|message|>"),
            ("analysisWe draft ", "assistantfinal"),
        )
    ],
    *[
        (f"{begin}maybe {D}", None)
        for begin in (
            "<think>",
            "<reasoning>",
            "[THINK]",
            "◁think▷",
            "<|channel|>analysis<|message|>",
            "<|channel|>commentary to=x<|message|>",
            "analysisWe draft ",
            "<think>a</think><think>",
            "<antThinking>",
            "<thought_process>",
            "<internal_monologue>",
            "<|channel>thought\n",
            '<details type="reasoning"><summary>Thinking</summary>',
        )
    ],
    (f"{D}</think>", None),
    (f"<think>{D}</think>", None),
    (f"<think>{D}</think>I cannot say.", None),
    (f"<|channel|>final<|message|>{F}<|return|>", False),
    (f"<think>x</think>{F}\n<think>{D}</think>", False),
    (f"{F}<think>{D}", False),
    (f"{F}\n<details><summary>More</summary>It sends people away.</details>", False),
    (f"<details><summary>Record</summary>Go away.</details>\n{F}", False),
    ('{"rationale": "It shows </think> to people.", "value": false}', False),
    ('<think>x</think>{"rationale": "It writes <think> and </think>.", "value": false}', False),
    ("<think>Yes.</think>No", False),
    ("<think>No.</think>", None),
]
DRAFTS_AND_ECHOES: list[Sample] = [
    (f"{D}\nOn second thought:\n{F}", False),
    (f"```json\n{D}\n```\nNo:\n```json\n{F}\n```", False),
    (f'{{"rationale": "...", "value": "true or false"}}\n{F}', False),
    (f'{{"rationale": "string", "value": "boolean"}}\n{F}', False),
    (f'{F}\nFormat: {{"rationale": "<reason>", "value": <true or false>}}', False),
    (f'{F}\n{{"rationale": "string", "value": "boolean"}}', False),
    (f'{{"type": "object", "properties": {{"value": {{"type": "boolean"}}}}}} {F}', False),
    ('{"rationale": "...", "value": true}', None),
    ('{"rationale": "<your reason>", "value": true}', None),
    ('{"rationale": "the reason for your verdict in two or three sentences", "value": true}', None),
    ('{"rationale": "string", "value": "boolean"}', None),
    *[
        (f'{{"rationale": "{form}", "value": true}}', None)
        for form in (
            "Your reasoning here.",
            "explanation",
            "a brief explanation for your verdict",
            "Reason goes here…",
        )
    ],
    (
        '{"type": "object", "properties": {"rationale": {"type": "string"}, "value": {"type": "boolean"}}}',
        None,
    ),
    (f'{{"example": {D}}}', None),
    (f'{D}\n{{"rationale": "I can not tell", "value": "unsure"}}', None),
    (f'{F}\n{{"note": 1}}', False),
    (F * 50 + CLIPPED, False),
]
PLACES: list[Sample] = [
    (F, False),
    (f"  \n{F}\n ", False),
    (f"```json\n{F}\n```", False),
    (f"```\n{F}```", False),
    (f"~~~json\n{F}\n~~~", False),
    (f"Sure! {{name}} {{{{x}}}} My verdict: {F}, I think {{so}}.", False),
    (f"<answer>{F}</answer>", False),
    (f"[{F}]", False),
    (f'{{"answer": {F}}}', False),
    (f'{{"name": "answer", "arguments": {F}}}', False),
    (f'{{"broken": {F}', False),
    ('"{\\"rationale\\": \\"final\\", \\"value\\": false}"', False),
    ('{\\"rationale\\": \\"final\\", \\"value\\": false}', False),
    (f'<tool_call>{{"name": "answer", "arguments": {json.dumps(F)}}}</tool_call>', False),
    (f'{{"type": "function", "function": {{"name": "answer", "arguments": {json.dumps(F)}}}}}', False),
    (f'{{"answer": {json.dumps(F)}}}', False),
    (F[1:], False),
    (f"<think>{D}</think>{F[1:]}", False),
    ('"rationale": "a", "value": false', False),
    ("rationale: It is rude.\nvalue: false", False),
    ("**Rationale:** It is rude.\n\n**Value:** No", False),
    ("rationale: It is rude.\nvalue: maybe", None),
    ('{"value": false, "rationale": "final"}', False),
    ('{"Rationale": "final", "VALUE": "No"}', False),
    ('{"value": false}', False),
    ('They said {"value": true}, which is wrong.', None),
    ('{"rationale": "It says {"rationale": "ok", "value": true}, wrong", "value": false}', None),
    ('{"rationale": "It says {x} {"rationale": "ok", "value": true}, wrong", "value": false}', None),
    ('{"rationale": "It says {\\"rationale\\": \\"ok\\", \\"value\\": true}.", "value": false}', False),
    ('{"rationale": "x", "detail": {"value": true}}', None),
]
IMPERFECT: list[Sample] = [
    ('{"rationale": "Line one.\nLine two.", "value": false}', False),
    ('{"rationale": "a\tb", "value": false}', False),
    ('{"rationale": "a\r\nb", "value": false,}', False),
    ('{"rationale": "a", "value": false,}', False),
    ('{"rationale": "a",, "value": false}', False),
    ("{'rationale': 'a', 'value': False}", False),
    ("{'rationale': \"it's\", 'value': False}", False),
    ("{'rationale': 'it\\'s', 'value': 'no'}", False),
    ('{"rationale": "it\\\'s", "value": false}', False),
    ('{"rationale": "C:\\d \\x", "value": false}', False),
    ('{"rationale": "He said "no" twice.", "value": false}', False),
    ('{rationale: "a", value: false}', False),
    ("{“rationale”: “a”, “value”: false}", False),
    ('{"rationale": "a" "value": false}', False),
    ('{"rationale": "a"\n"value": false}', False),
    ('{"rationale": "a"; "value": false}', False),
    ('// verdict\n{"rationale": "a", /* b */ "value": false // c\n}', False),
    ('{"rationale": "a", "value": FALSE}', False),
    ('{"rationale": "a", "value": no}', False),
    ('{"rationale": "a", "value": "No."}', False),
    ('{"rationale": "a", "value": 0.0}', False),
    ('{"rationale": "a", "value": "0"}', False),
    ('{"rationale": "a", "value": false', False),
    ('{"rationale": "a", "value": false\n', False),
    ('{"rationale": "a", "value": "no"', False),
    ('{"value": false, "rationale": "It is cur', False),
    ('```json\n{"rationale": "a",\n"value": false,\n}\n```\nI hope {that} helps.', False),
    ('{"rationale": "cut \\ud83d", "value": false}', False),
    ("{'rationale': '\\ud83d\\ude00 \\ud83d', 'value': false}", False),
    ('{"rationale": ["a", "b"], "value": false}', False),
    ('{"rationale": null, "value": false}', False),
    ("{'rationale': 'It uses {x} and } well', 'value': false}", False),
    ("{'rationale': 'It shows \"value\": true} in code', 'value': false}", None),
    ("\ufeff" + F, False),
    (F.replace("final", "nul \x00 \x07"), False),
]
DOUBTFUL: list[Sample] = [
    (text, None)
    for text in (
        '{"rationale": "It is not',
        '{"rationale": "It is not", ',
        '{"rationale": "a", "value": ',
        '{"rationale": "a", "value": tr',
        '{"rationale": "a", "value": "fal',
        '{"rationale": "a", "value": "true',
        '{"rationale": "a", "value": null}',
        '{"rationale": "a", "value": "maybe"}',
        '{"rationale": "a", "value": "not bad"}',
        '{"rationale": "a", "value": true or false}',
        '{"rationale": "a", "value": true|false}',
        '{"rationale": "a", "value": true, "value": false}',
        "{'rationale': 'a', 'value': True, 'value': False}",
        '{"rationale": "a", "value": [true, false]}',
        '{"rationale": "a", "value": {"is": true}}',
        '{"rationale": "a", "value": NaN}',
        '{"rationale": "a", "value": 2}',
        '{"rationale": "a"}',
        "{}",
        "[]",
        "null",
        "",
        "   ",
        "I cannot judge this.",
    )
]
BARE: list[Sample] = [
    *[
        (text, False)
        for text in ("No", "no.", "Fail.", "**No**", "NO!", '"no"', "`fail`", "<answer>No</answer>")
    ],
    *[
        (text, False)
        for text in (
            "\\boxed{No}",
            "$\\boxed{\\text{No}}$",
            "So it is \\boxed{No}.",
            "Verdict: No",
            "**Verdict:** no",
            "Answer: fail",
            "false",
            "0",
        )
    ],
    *[
        (text, False)
        for text in ("No, it is rude.", "No.\n\nIt is rude.", "No: it is rude.", "```\nfalse\n```")
    ],
    *[(text, True) for text in ("Yes", "pass", "True", "Yes, because it greets.")],
    *[
        (text, None)
        for text in (
            "It is not impolite",
            "Yes and no",
            "yes or no",
            "Yes, but no",
            "Not really",
            "No problem here, it is polite",
            "1. First, I look at the answer",
            "maybe",
            "Yes?",
            "N/A",
            'No\n{"rationale": "a", "value": tr',
        )
    ],
]
DEGENERATE: list[Sample] = [
    (prefix + unit * (50_000 // len(unit)), None)
    for unit in (
        "[",
        "{",
        '{"',
        '{"a":',
        '("',
        '{"a": [',
        "<think>",
        "</think>",
        "<|message|>",
        '"',
        "\\",
        "no ",
    )
    for prefix in ('{"rationale": ', "")
] + [("{" * 10_000 + F, False), ("}" * 200_000 + F, False), ("x" * 2_000_000 + F, False)]

KINDS = {
    "thinking": THINKING,
    "drafts and echoes": DRAFTS_AND_ECHOES,
    "places": PLACES,
    "imperfect JSON": IMPERFECT,
    "doubtful": DOUBTFUL,
    "in words": BARE,
    "degenerate": DEGENERATE,
}
