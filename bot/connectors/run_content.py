"""The content of a run, found among its spans. Pure."""

from collections.abc import Sequence

from memalign.records import Json
from memalign.span_contents import is_empty
from memalign.spans import shallowest_content


def content_of(tree: Sequence[Json]) -> tuple[Json, Json]:
    """Return inputs and outputs of the root; a side that it lacks is that of the next spans that have it.

    Args:
        tree: the spans, as `memalign.spans.span_tree` orders them.
    """
    inputs, outputs = shallowest_content(tree)
    if is_empty(inputs):
        inputs = shallowest_content([span for span in tree if "inputs" in span])[0]
    if is_empty(outputs):
        outputs = shallowest_content([span for span in tree if "outputs" in span])[1]
    return inputs, outputs
