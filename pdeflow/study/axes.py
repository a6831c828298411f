"""The swept axes of a study, and rows that are looked at along one of them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

import numpy as np

from .._core.errors import BadInput, unknown_field
from .._core.short_text import shown
from .._core.validate import real
from .._core.value import Value
from .rows import Row, Rows

# columns of a table that no axis may take the name of
COLUMNS = frozenset(
    "problem method seed time metric error stderr null floor time_error status why seconds first_call_seconds "
    "cpu_seconds memory steps truth_error how floor_how scale".split()
)


@dataclass(frozen=True)
class Axis(Value):
    """A swept axis, as the table of a study knows it.

    Parameters
    ----------
    name : str
        Its column: "dt", a field of the methods, or a parameter of the Family. One that is named like another column
        of the table has the prefix method_ or problem_.
    kind : {"dt", "field", "parameter"}
        What is swept.
    counts : bool
        Whether it is a field that counts (cells, points, particles), so that finer means a larger value.
    follows : tuple of str
        The free axes that its value is computed from; none for a free axis.
    """

    name: str
    kind: Literal["dt", "field", "parameter"] = "field"
    counts: bool = False
    follows: tuple[str, ...] = ()


class Along(Rows):
    """Rows of a study that are looked at along one of its axes, their levels of the others told apart."""

    axes: tuple[Axis, ...] = ()
    _chosen: Axis | None = None  # where one is named

    @property
    def _along(self) -> Axis | None:
        """The axis chosen, else the usual one: dt, else the only one, else the only field; None where several are."""
        fields = [axis for axis in self.axes if axis.kind == "field" and not axis.follows]
        usual = [axis for axis in self.axes if axis.kind == "dt"] or (fields if len(self.axes) > 1 else self.axes)
        return self._chosen or (usual[0] if len(usual) == 1 else None)

    def along(self, axis: str | None = None) -> Self:
        """The same rows, looked at along one of the swept axes: its orders, parts, claims and pictures are along it.

        Parameters
        ----------
        axis : str, optional
            Name of the axis. The default is dt where it is swept, else the only axis, else the only field.

        Returns
        -------
        Table
            Levels of the other axes are told apart as problems and methods are; axes that follow this one, or that it
            follows, go along with it.

        Raises
        ------
        UnknownField
            For an axis that the table does not have.
        BadInput
            Where none is named and several could be meant, and for an axis that follows several others.
        """
        if axis is None:
            self.swept  # noqa: B018 - which raises where several could be meant
            return self
        named = {one.name: one for one in self.axes}
        if axis not in named:
            raise unknown_field("This table", str(axis), named, kind="axis")
        if len(named[axis].follows) > 1:
            raise BadInput(
                f"{axis} is computed from {' and '.join(named[axis].follows)}. An axis to look along must follow one "
                f"other at most. Name one of {', '.join(named[axis].follows)}."
            )
        view = copy.copy(self)
        view._chosen = named[axis]
        return view

    @property
    def swept(self) -> str:
        """Name of the axis along which the table is looked at."""
        if self._along is None:
            names = ", ".join(axis.name for axis in self.axes)
            raise BadInput(f"The study sweeps {names}, and no axis is named. An order is along one axis. Pass along=.")
        return self._along.name

    @property
    def counts(self) -> bool:
        """Whether the values of that axis are counts, so that the order is that in 1/value."""
        return self._along is not None and self._along.counts

    @property
    def others(self) -> tuple[str, ...]:
        """The other free axes, whose levels are told apart."""
        roots = self._along.follows or (self.swept,) if self._along is not None else ()
        return tuple(axis.name for axis in self.axes if not axis.follows and axis.name not in roots)

    def step_size(self, value: Any) -> float:
        """h of a level: dt or a float field itself, 1/value for a field that counts (cells, points, particles)."""
        if self._along is not None and self._along.kind == "parameter":
            raise BadInput(
                f"{self.swept} is a parameter of the problem. An order is in the step size or in a field of the "
                f"methods. Ask growth(..., along={self.swept!r})"
                + (", or pass along= to look along another axis." if len(self.axes) > 1 else ".")
            )
        if isinstance(value, bool | str) or not np.isscalar(value) or not np.isreal(value):
            raise BadInput(
                f"{self.swept} is {shown(value, 200)}. It must be a number, because an order needs a numeric "
                "sweep. Sweep dt or a numeric field."
            )
        number = float(cast(Any, value))
        return 1.0 / number if self.counts else number

    def select(
        self, metric: str, time: float | None = None, method: str | None = None
    ) -> dict[tuple[Any, ...], list[Row]]:
        """Rows of one metric by (problem, method, time, levels of the other axes), in the order of the table."""
        known = list(dict.fromkeys(row["metric"] for row in self.rows))
        if metric not in known:
            raise unknown_field("This table", str(metric), known, kind="metric")
        time = None if time is None else real(time, "time")
        others = self.others
        groups: dict[tuple[Any, ...], list[Row]] = {}
        for row in self.rows:
            if (
                row["metric"] == metric
                and (time is None or abs(row["time"] - time) <= 1e-9 * max(abs(time), abs(row["time"])))
                and (method is None or row["method"] == method)
            ):
                key = (row["problem"], row["method"], row["time"], *(row[name] for name in others))
                groups.setdefault(key, []).append(row)
        if not groups:
            times = sorted({row["time"] for row in self.rows})
            raise BadInput(
                f"No rows at time {time!r}. The table has times {shown(times)}. Pass one of these, or None for all."
            )
        return groups

    def _with_others(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The columns of a derived table, with the other axes after problem and method."""
        place = max(columns.index("problem"), columns.index("method")) + 1
        return tuple(dict.fromkeys((*columns[:place], *self.others, *columns[place:])))
