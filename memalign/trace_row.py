"""Traces as rows of a table, with the values that engines such as Ray Data, Spark and pandas put into cells."""

import math
from collections.abc import Mapping

from memalign.errors import InputError
from memalign.records import Json, Trace

_OTHER_NAMES = {"trace_id": "id", "inputs": "input", "outputs": "output"}
"""Name of a column -> another name of it."""
_EMPTY_CELLS = {"NAType", "NaTType"}
"""Classes of what pandas puts into empty cells, beside NaN."""


def trace_of_row(row: Mapping[str, object]) -> Trace:
    """Read the trace of a row.

    Args:
        row: Columns `trace_id`, `inputs` and `outputs` (also `id`, `input` and `output`), and perhaps `expectations`,
            `conversation`, `spans` and `error`. Others are passed over.

    Returns:
        The trace, with plain JSON.

    Raises:
        InputError: If the row has no `trace_id` that is a text.
    """
    cells = {str(name): plain_cell(cell) for name, cell in row.items()}
    for name, other in _OTHER_NAMES.items():
        if cells.get(name) is None:
            cells[name] = cells.get(other)
    trace_id = cells["trace_id"]
    if not isinstance(trace_id, str) or not trace_id:
        raise InputError(
            "A row has no trace_id that is a text; give each row one, to tell its verdict from others."
        )
    return Trace(
        trace_id=trace_id,
        inputs=cells["inputs"],
        outputs=cells["outputs"],
        expectations=cells.get("expectations"),
        conversation=cells.get("conversation"),
        spans=tuple(cells.get("spans") or ()),
        error=cells.get("error"),
    )


def plain_cell(cell: object) -> Json:
    """Turn the value of a cell into JSON.

    Args:
        cell: JSON, in which arrays and numbers of NumPy, rows of Spark, and empty cells of pandas may stand.

    Returns:
        JSON; None for an empty cell, and the text of any other object.
    """
    if cell is None or isinstance(cell, str | bool | int):
        return cell
    if isinstance(cell, float):
        return None if math.isnan(cell) else cell
    if isinstance(cell, Mapping):
        return {str(name): plain_cell(value) for name, value in cell.items()}
    if as_dict := getattr(cell, "asDict", None):  # a row of Spark is a tuple, too
        return plain_cell(as_dict())
    if isinstance(cell, list | tuple | set):
        return [plain_cell(value) for value in cell]
    if to_list := getattr(cell, "tolist", None):
        return plain_cell(to_list())
    return None if type(cell).__name__ in _EMPTY_CELLS else str(cell)
