"""Media in traces: each kind becomes a placeholder with kind and size, and ordinary text stays as it is."""

import base64
import hashlib
import json
import random

import pytest

from bot.blocks.trace_reading import parts_of
from bot.reports.export import trace_line
from memalign.embedded_text import text_of
from memalign.media import replace_media, trace_without_media
from memalign.records import Json
from memalign.template import fields_of
from tests.factories import a_trace
from tests.memalign.prompt_text import record_text

RANDOM = random.Random(9)
PNG = b"\x89PNG\r\n\x1a\n" + RANDOM.randbytes(899_992)
JPEG = b"\xff\xd8\xff\xe0" + RANDOM.randbytes(20_000)
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + RANDOM.randbytes(40_000)
PDF = b"%PDF-1.7\n" + RANDOM.randbytes(60_000)
NOISE = RANDOM.randbytes(3_000)


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def data_url(content: bytes, mime: str) -> str:
    return f"data:{mime};base64,{b64(content)}"


def part(kind: str, **fields: Json) -> Json:
    return {"type": kind, **fields}


SAMPLES: dict[str, tuple[Json, Json]] = {
    # in texts
    "data URL": (data_url(PNG, "image/png"), "[picture: PNG, 0.9 MB]"),
    "data URL in prose": (f"See {data_url(JPEG, 'image/jpeg')} above", "See [picture: JPEG, 20 KB] above"),
    "data URL in markdown": (f"![shot]({data_url(PNG, 'image/png')})", "![shot]([picture: PNG, 0.9 MB])"),
    "data URL with parameters": (f"data:audio/wav;rate=16000;base64,{b64(WAV)}", "[audio: WAV, 40 KB]"),
    "data URL without type": (f"data:;base64,{b64(PDF)}", "[file: PDF, 60 KB]"),
    "data URL, url-safe": (
        "data:image/webp;base64," + base64.urlsafe_b64encode(NOISE).decode(), "[picture: WebP, 3 KB]"),
    "data URL of a drawing": ("data:image/svg+xml,%3Csvg%20width='1'", "[picture: SVG, 11 bytes]'1'"),
    "data URL in lines": (
        "data:image/png;base64," + base64.encodebytes(JPEG).decode().strip(), "[picture: PNG, 20 KB]"),
    "data URL of a drawing with a parameter without value": (
        "data:image/svg+xml;utf8,%3Csvg%3E", "[picture: SVG, 5 bytes]"),
    "bytes as Python writes them": (f"saw {bytes(range(128, 256)) * 4!r} there", "saw [data: 512 bytes] there"),
    "pictures beside the words": (
        {"role": "user", "content": "Why?", "images": [b64(JPEG)]},
        {"role": "user", "content": "Why?", "images": ["[picture: JPEG, 20 KB]"]}),
    "two data URLs": (
        f"{data_url(PNG, 'image/png')} {data_url(PDF, 'application/pdf')}",
        "[picture: PNG, 0.9 MB] [file: PDF, 60 KB]"),
    "video": (data_url(NOISE, "video/mp4"), "[video: MP4, 3 KB]"),
    "bare base64 of a picture": (b64(JPEG), "[picture: JPEG, 20 KB]"),
    "bare base64 of a document": (b64(PDF), "[file: PDF, 60 KB]"),
    "bare base64 of sound": (b64(WAV), "[audio: WAV, 40 KB]"),
    "bare base64 of anything": (b64(NOISE), "[data: 3 KB]"),
    "bare base64, url-safe": (base64.urlsafe_b64encode(NOISE).decode(), "[data: 3 KB]"),
    "base64 in lines": (base64.encodebytes(NOISE).decode(), "[data: 3 KB]\n"),
    "base64 in lines before words": (base64.encodebytes(NOISE).decode() + "Thanks", "[data: 3 KB]\nThanks"),
    "base64 after words": (f"It is {b64(NOISE)} as I said", "It is [data: 3 KB] as I said"),
    "base64 in JSON in a text": (json.dumps({"a": b64(NOISE)}), '{"a": "[data: 3 KB]"}'),
    "base64 in PHP's JSON": (b64(NOISE).replace("/", "\\/"), "[data: 3 KB]"),
    "base64 of a text": (b64(b"The quick brown fox jumps over the lazy dog. " * 30), "[data: 1 KB]"),
    "base64 of numbers": (b64(b"".join(bytes([n % 7, 60 + n % 5, 100, 63]) for n in range(600))), "[data: 2 KB]"),
    "cut base64": (b64(JPEG)[:1_001], "[picture: JPEG, 750 bytes]"),
    "hexadecimal": (PNG[:2_000].hex(), "[picture: PNG, 2 KB]"),
    "hexadecimal of anything": (NOISE.hex(), "[data: 3 KB]"),
    "hexadecimal with prefix": ("0x" + NOISE.hex(), "[data: 3 KB]"),
    "escaped bytes": ("".join(f"\\x{byte:02x}" for byte in NOISE), "[data: 3 KB]"),
    "attachment of MLflow": (
        "mlflow-attachment://0b1c?content_type=image%2Fpng&trace_id=tr-1&size=345678", "[picture: PNG, 346 KB]"),
    "media of Langfuse": (
        "@@@langfuseMedia:type=audio/wav|id=cc48|source=base64_data_uri@@@", "[audio: WAV]"),
    # in parts of messages
    "openai picture": (
        part("image_url", image_url={"url": data_url(PNG, "image/png")}),
        part("image_url", image_url={"url": "[picture: PNG, 0.9 MB]"})),
    "openai picture, short": (
        part("input_image", image_url=data_url(b"\xff\xd8\xff", "image/jpeg")),
        part("input_image", image_url="[picture: JPEG, 3 bytes]")),
    "openai audio": (
        part("input_audio", input_audio={"data": b64(WAV), "format": "wav"}),
        part("input_audio", input_audio={"data": "[audio: WAV, 40 KB]", "format": "wav"})),
    "openai audio without signature": (
        part("input_audio", input_audio={"data": b64(NOISE), "format": "pcm16"}),
        part("input_audio", input_audio={"data": "[audio: PCM16, 3 KB]", "format": "pcm16"})),
    "openai file": (
        part("file", file={"filename": "a.pdf", "file_data": data_url(PDF, "application/pdf")}),
        part("file", file={"filename": "a.pdf", "file_data": "[file: PDF, 60 KB]"})),
    "openai spoken answer": ({"audio": {"id": "a", "data": b64(NOISE), "transcript": "Hello"}},
        {"audio": {"id": "a", "data": "[audio: 3 KB]", "transcript": "Hello"}}),
    "openai made picture": ({"data": [{"b64_json": b64(PNG)}]}, {"data": [{"b64_json": "[picture: PNG, 0.9 MB]"}]}),
    "openai made picture, responses": (
        part("image_generation_call", result=b64(PNG)), part("image_generation_call", result="[picture: PNG, 0.9 MB]")),
    "anthropic picture": (
        part("image", source={"type": "base64", "media_type": "image/jpeg", "data": b64(JPEG)}),
        part("image", source={"type": "base64", "media_type": "image/jpeg", "data": "[picture: JPEG, 20 KB]"})),
    "anthropic document": (
        part("document", source={"type": "base64", "media_type": "application/pdf", "data": b64(NOISE)}),
        part("document", source={"type": "base64", "media_type": "application/pdf", "data": "[file: PDF, 3 KB]"})),
    "anthropic tiny picture": (
        part("image", source={"type": "base64", "media_type": "image/gif", "data": b64(b"GIF89a" + bytes(20))}),
        part("image", source={"type": "base64", "media_type": "image/gif", "data": "[picture: GIF, 26 bytes]"})),
    "bedrock picture": (
        {"image": {"format": "png", "source": {"bytes": b64(NOISE)}}},
        {"image": {"format": "png", "source": {"bytes": "[picture: PNG, 3 KB]"}}}),
    "gemini picture": (
        {"inline_data": {"mime_type": "image/webp", "data": b64(NOISE)}},
        {"inline_data": {"mime_type": "image/webp", "data": "[picture: WebP, 3 KB]"}}),
    "gemini audio in camel case": (
        {"inlineData": {"mimeType": "audio/mp3", "data": b64(NOISE)}},
        {"inlineData": {"mimeType": "audio/mp3", "data": "[audio: MP3, 3 KB]"}}),
    "langchain picture": (
        part("image", source_type="base64", mime_type="image/png", data=b64(NOISE)),
        part("image", source_type="base64", mime_type="image/png", data="[picture: PNG, 3 KB]")),
    "vercel file": (
        part("file", mediaType="application/pdf", data=b64(NOISE)),
        part("file", mediaType="application/pdf", data="[file: PDF, 3 KB]")),
    "vercel picture as an object of numbers": (
        part("image", image={str(place): byte for place, byte in enumerate(PNG[:2_000])}),
        part("image", image="[picture: PNG, 2 KB]")),
    "opentelemetry blob": (
        part("blob", mime_type="image/png", modality="image", content=b64(NOISE)),
        part("blob", mime_type="image/png", modality="image", content="[picture: PNG, 3 KB]")),
    "mcp picture": (
        part("image", data=b64(NOISE), mimeType="image/png"),
        part("image", data="[picture: PNG, 3 KB]", mimeType="image/png")),
    "buffer of JavaScript": (part("Buffer", data=list(JPEG[:5_000])), "[picture: JPEG, 5 KB]"),
    "bytes": (PDF, "[file: PDF, 60 KB]"),
    "numbers of a picture": ({"pixels": list(PNG[:2_000])}, {"pixels": "[picture: PNG, 2 KB]"}),
    "embedding in base64": ({"embedding": b64(NOISE)}, {"embedding": "[data: 3 KB]"}),
}  # fmt: skip

ORDINARY: dict[str, Json] = {
    "prose": "The quick brown fox jumps over the lazy dog. " * 100,
    "one long word": "Donaudampfschifffahrtsgesellschaftskapitän" * 12,
    "camel case": "getUserAccountSettingsByIdentifier2" * 20,
    "names with underscores": "get_user_42_by_Name_" * 20,
    "a path": "src/components/UserCard2/index-v3/" * 12,
    "an address": "https://example.com/a/" + "aB3xY9kLm2" * 40,
    "a signed address": "https://bucket.example.com/x?X-Signature=" + b64(NOISE)[:400],
    "a token of three parts": ".".join(b64(NOISE)[start : start + 300] for start in (0, 300, 600)),
    "digests": " ".join(hashlib.sha512(bytes([n])).hexdigest() for n in range(20)),
    "ids": "-".join(hashlib.sha256(bytes([n])).hexdigest()[:8] for n in range(60)),
    "a key": "sk-" + b64(NOISE)[:48],
    "a long number": "1234567890" * 100,
    "the same letter": "a" * 5_000,
    "a protein": "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ" * 20,
    "dna": "ACGTTGCA" * 200,
    "Chinese": "中文文本" * 500,
    "code": "def f(x):\n    return x + 1\n" * 50,
    "a table": "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 100,
    "rules": "-" * 2_000 + "\n" + "=" * 2_000,
    "words about data": "Use data: URLs, data:text is not one; base64, is an encoding.",
    "a link to a picture": part("image_url", image_url={"url": "https://example.com/cat.png"}),
    "a document of text": part(
        "document", source={"type": "text", "media_type": "text/plain", "data": "Internationalization"}),
    "a word as content": part("file", content="Internationalization"),
    "a format": {"format": "json", "data": "abcdefghijklmnopqrstuvwxyz"},
    "numbers": {"scores": list(range(250))},
    "a result of a tool": {"role": "tool", "content": "abcdefghijklmnopqrstuvwxyz"},
    "nothing": None,
    "an id": {"id": "call_abcDEF123456789abcDEF123456789", "data": "ok"},
}  # fmt: skip


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_medium_becomes_a_placeholder_with_kind_and_size(kind: str) -> None:
    value, expected = SAMPLES[kind]

    assert replace_media(value) == expected
    assert replace_media(expected) == expected


@pytest.mark.parametrize("kind", ORDINARY)
def test_ordinary_values_are_not_taken_for_media(kind: str) -> None:
    assert replace_media(ORDINARY[kind]) == ORDINARY[kind]


@pytest.mark.parametrize("place", ["inputs", "outputs", "expectations", "conversation", "spans"])
def test_no_part_of_a_trace_keeps_its_media(place: str) -> None:
    value: Json = [{"name": "look", "inputs": data_url(PNG, "image/png")}] if place == "spans" else b64(PNG)
    trace = a_trace(**{place: value})
    variables = ("inputs", "outputs", "expectations", "trace")
    fields = fields_of(trace, variables)
    shown = [
        record_text(fields),
        *text_of(fields),
        json.dumps(trace_line(trace_without_media(trace))),
        *(part.text for part in parts_of(trace)),
    ]

    assert max(map(len, shown)) < 3_000
    assert "[picture: PNG, 0.9 MB]" in "\n".join(shown)


def test_the_question_beside_a_picture_is_in_the_prompt() -> None:
    question = part("text", text="Which error is this?")
    picture = part("image_url", image_url={"url": data_url(PNG, "image/png")})
    fields = fields_of(
        a_trace(inputs={"messages": [{"role": "user", "content": [picture, question]}]}),
        ("inputs", "outputs"),
    )

    assert "Which error is this?" in record_text(fields)
    assert len(record_text(fields)) < 300
