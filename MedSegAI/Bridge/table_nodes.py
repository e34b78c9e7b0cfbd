"""Tables of figures, such as volumes in mL, as table nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import slicer
from vtkmodules.vtkCommonCore import vtkDoubleArray, vtkLongLongArray, vtkStringArray

from MedSegAI.Logic.errors import InputError

Value = str | float | int | None


def rows_to_table_node(
    rows: Sequence[Mapping[str, Value]], scene: slicer.vtkMRMLScene, *, name: str = "table"
) -> slicer.vtkMRMLTableNode:
    """A new table node with one row a mapping and one column a key, in the order of the first row.

    A column of whole numbers stays whole, of numbers becomes double (a missing one NaN), of anything else text.

    Raises:
        InputError: if there are no rows, or a row has other keys than the first.
    """
    if not rows or not rows[0]:
        raise InputError(f"The table '{name}' has no rows.", advice="Compute the figures first.")
    titles = list(rows[0])
    if any(list(row) != titles for row in rows):
        raise InputError(
            f"The rows of the table '{name}' do not have the same columns.", advice="Give every row the same keys."
        )
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", scene.GenerateUniqueName(name))
    was_modifying = node.StartModify()
    for title in titles:
        node.AddColumn(_column(title, [row[title] for row in rows]))
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetLocked(True)
    node.EndModify(was_modifying)
    return node


def table_node_to_rows(node: slicer.vtkMRMLTableNode) -> list[dict[str, Value]]:
    """The rows of a table node, keyed by column title."""
    table = node.GetTable()
    columns = [table.GetColumn(index) for index in range(table.GetNumberOfColumns())]
    return [{column.GetName(): column.GetValue(row) for column in columns} for row in range(table.GetNumberOfRows())]


def _column(title: str, values: list[Value]) -> vtkStringArray | vtkDoubleArray | vtkLongLongArray:
    if all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        column = vtkLongLongArray()
    elif all(value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)) for value in values):
        column = vtkDoubleArray()
        values = [float("nan") if value is None else float(value) for value in values]
    else:
        column = vtkStringArray()
        values = ["" if value is None else str(value) for value in values]
    column.SetName(title)
    for value in values:
        column.InsertNextValue(value)
    return column
