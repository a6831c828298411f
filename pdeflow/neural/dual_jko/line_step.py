"""A step on the line: all integrals by quadrature."""

from __future__ import annotations

import numpy as np

from ..._core.errors import NotConverged
from ..._core.shapes import Numbers, Row
from .ascent import Ascent
from .basis import Basis
from .nodes import EMPTY, HERMITE, common_targets, finer_edges, near_targets, panel_edges, panel_nodes
from .step import State, Step

BUMPS = 40  # unless given
CENTRES = 5.0  # bumps stand within so many deviations
OVERLAP = 1.25  # width of a bump, in distances between bumps
REACH = 6.0  # the box goes beyond the old law by so many deviations of the diffusion of a step
FINE = 0.25  # width of a panel, in deviations of the law
PER_KERNEL = 2.5  # width of a panel of the targets, in deviations of the kernel
MOST_PANELS = 1500  # of the targets: narrower kernels have targets of their own for each point
OUTER = 1e-11  # mass of the outermost panel at which the box is wide enough
WIDENINGS = 12
ROUNDS = 10  # of placing targets of their own by the weights found
SETTLED = 1e-6  # change of the log density between two rounds, in nats, at which they end
WAVES, STEEPEST = 16, 4.0  # functions by which the law is held against the coupling; the largest wave number
INNER = 1e-4  # most error of the log of the coupling's normalisation, in nats


class LineStep(Step):
    """One step on the line, in a box that is widened until the new law ends in it."""

    bounded = False

    def take(self) -> State:
        """The state after the step."""
        basis, x, ascent = self._basis(), self.state.x, None
        low, high = x.min() - REACH * self.spread, x.max() + REACH * self.spread
        for _ in range(WIDENINGS):
            edges = panel_edges(low, high, FINE * float(np.sqrt(self.diffused[0, 0])))
            ascent, rounds = self._settled(basis, edges, None if ascent is None else ascent.weights)
            _, shares = ascent.dual.shares(ascent.weights)
            ends = shares.reshape(len(edges) - 1, -1).sum(axis=1)[[0, -1]]
            if ends.max() <= OUTER:
                break
            room = 0.3 * (high - low)
            low, high = low - room * (ends[0] > OUTER), high + room * (ends[1] > OUTER)
        else:
            raise NotConverged(
                f"The law after step {self.state.steps + 1} has not ended in [{low:.3g}, {high:.3g}]. It must have "
                "light tails. Add a potential that grows, or take a smaller dt."
            )
        facts = {
            "iterations": ascent.iterations,
            "rounds": rounds,
            "gradient_norm": ascent.gradient_norm,
            "inner_error": self._inner_error(basis, edges, ascent.weights),
            "marginal_error": self._marginal_error(basis, edges, ascent),
        }
        z, full = panel_nodes(edges)[0], shares > EMPTY
        return self.after(basis, ascent.weights, edges, z[full], shares[full] / shares[full].sum(), facts)

    def _basis(self) -> Basis:
        bumps = BUMPS if self.method.bumps is None else self.method.bumps
        places = np.linspace(-CENTRES, CENTRES, bumps)
        return self.whitened(places[:, None], self.method.width or OVERLAP * 2 * CENTRES / max(bumps - 1, 1))

    def _settled(self, basis: Basis, edges: Row, c: Row | None) -> tuple[Ascent, int]:
        """Rounds of the ascent until the log density settles, and how many; one where targets are shared."""
        z, width = panel_nodes(edges)
        rounds = 0
        while True:
            ascent = self.ascended(
                basis, z, np.log(width), self.start(basis, c, z), lambda at: self._targets(basis, edges, at)
            )
            _, shares = ascent.dual.shares(ascent.weights)
            settled = c is not None and np.sqrt(shares @ (basis.values(z) @ (ascent.weights - c)) ** 2) < SETTLED
            c, rounds = ascent.weights, rounds + 1
            if settled or rounds == ROUNDS or self._shares_targets(edges):
                return ascent, rounds

    def _kernel_panels(self, edges: Row) -> int:
        """Panels narrow enough for the kernel, in each panel."""
        return int(np.ceil((edges[1] - edges[0]) / (PER_KERNEL * np.sqrt(self.gamma / 2))))

    def _shares_targets(self, edges: Row) -> bool:
        """Whether the kernel is wide enough for panels that all points share."""
        return self._kernel_panels(edges) * (len(edges) - 1) <= MOST_PANELS

    def _targets(self, basis: Basis, edges: Row, c: Row, refinement: int = 1) -> tuple[Numbers, Numbers]:
        if self._shares_targets(edges):
            y, width = panel_nodes(finer_edges(edges, refinement * self._kernel_panels(edges)))
            return common_targets(self.state.x, y, width, self.gamma)
        return near_targets(self.state.x, basis, c, self.scale, self.gamma, HERMITE * refinement)

    def _inner_error(self, basis: Basis, edges: Row, c: Row) -> float:
        """How far two rules differ in E_μ log ∫exp(κ f - |x - y|²/γ) dy, in nats of f."""
        found = []
        for refinement in (1, 2):
            y, logs = self._targets(basis, edges, c, refinement)
            values = basis.combined(y.reshape(-1, 1), c).reshape(y.shape[:-1])
            found.append(np.logaddexp.reduce(logs + self.stiffness * values, axis=1) / self.stiffness)
        error = float(self.state.weights @ np.abs(found[1] - found[0]))
        if not error <= INNER:
            raise NotConverged(
                f"The coupling of step {self.state.steps + 1} is integrated to {error:.2g} nats; at most {INNER:g} is "
                "accepted. h must be smooth on the width of the kernel. Use a smaller dt or regularisation.",
                residual=error,
            )
        return error

    def _marginal_error(self, basis: Basis, edges: Row, ascent: Ascent) -> float:
        """Root mean square over waves of the gap of their means under the law and the coupling's second marginal.

        Each is a cosine and a sine of a wave number per deviation of the law, which the nodes of the start resolve also
        where the kernel is narrower than these nodes are apart.
        """
        inner, outer = ascent.dual.shares(ascent.weights)
        y, z = self._targets(basis, edges, ascent.weights)[0], panel_nodes(edges)[0]
        gaps = []
        for number in np.linspace(STEEPEST / WAVES, STEEPEST, WAVES):
            wave = 1j * number * float(basis.whitening[0, 0])
            coupled = np.sum(inner * np.exp(wave * y[..., 0]), axis=1)
            gaps.append(abs(outer @ np.exp(wave * z[:, 0]) - self.state.weights @ coupled))
        return float(np.sqrt(np.mean(np.square(gaps)) / 2))
