"""Guidelines as the export writes them, for everybody and for one person."""

from bot.reports.export import guideline_line, own_guideline_line
from memalign.records import Comparison, Guideline, GuidelineForm, Handling, Source

ANA = Source(trace_id="tr-1", person="ana", quote="rude", time_ms=1)
BEN = Source(trace_id="tr-2", person="ben", quote="curt", time_ms=2)
RULE = Guideline(
    id="g-1",
    text="Greet people.",
    sources=(ANA, BEN),
    contradicted=(Source(trace_id="tr-3", person="cem", quote="fine"),),
    added_by=Handling(person="zoe", time_ms=3_000, text="Zebra words."),
    edited_by=Handling(person="ben", time_ms=4_000),
    retired_by=Handling(person="ana", time_ms=5_000),
    approved_by="zoe",
    previous=GuidelineForm(text="Earlier words."),
    doubtful=True,
    compared=(Comparison(guideline_id="g-2", texts_hash="ab", relation="different"),),
    has_been_compared=True,
    has_been_joined=True,
)


def test_an_export_names_who_decided_on_a_guideline_and_leaves_out_what_only_the_memory_needs() -> None:
    line = guideline_line("politeness", RULE)

    assert (line["state"], line["doubtful"], line["source_trace_ids"]) == ("retired", True, ["tr-1", "tr-2"])
    assert line["added_by"] == {"person": "zoe", "timestamp": "1970-01-01T00:00:03+00:00"}
    assert (line["retired_by"]["person"], line["pinned_by"], line["approved_by"]) == ("ana", None, "zoe")
    assert line.keys().isdisjoint({"previous", "compared", "has_been_compared", "has_been_joined"})
    assert "Zebra" not in str(line)
    assert "Earlier" not in str(line)


def test_an_export_of_one_person_has_nobody_elses_words_or_decisions() -> None:
    line = own_guideline_line("politeness", RULE, "ana")

    assert (line["state"], line["retired_by"]["person"]) == ("retired", "ana")
    assert [source["quote"] for source in line["sources"]] == ["rude"]
    assert (line["contradicted"], line["added_by"], line["edited_by"], line["approved_by"]) == (
        (),
        None,
        None,
        "",
    )
    assert not {"ben", "cem", "zoe"} & set(str(line).replace("'", " ").split())
