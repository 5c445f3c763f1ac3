"""The equations of one member in plain Python: what the kernels evaluate and eliminate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haptos.numerics.engine.arrays import NumpyMachine
from haptos.numerics.engine.program import Block, Program, finite_or_zero, operate
from haptos.numerics.operations import Op

__all__ = ["Equations"]

Array = NDArray[np.float64]


class Equations:
    """Right-hand side, Jacobian and linear algebra of one member."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.machine = NumpyMachine()
        self.parameters = np.zeros(program.n_parameters)
        self.matrix = np.zeros(program.elimination.n_slots)

    def evaluate(self, block: Block, state: Array, time: float) -> list[float]:
        """Evaluate a block; states are raised to their floor first."""
        program = self.program
        floor = np.where(program.floored, 0.0, -np.inf)
        known: dict[int, np.float64] = {}

        def value(position: int) -> np.float64:
            if position not in known:
                known[position] = compute(position)
            return known[position]

        def compute(position: int) -> np.float64:
            node = block.nodes[position]
            if node.op is Op.CONSTANT:
                return np.float64(node.value)
            if node.op is Op.TIME:
                return np.float64(time)
            if node.op is Op.VARIABLE:
                index, n = int(node.value), program.n_states
                if index >= n:
                    return np.float64(self.parameters[index - n])
                return np.float64(floor[index] if state[index] < floor[index] else state[index])
            return apply(position)

        def apply(position: int) -> np.float64:
            node = block.nodes[position]
            last = block.nodes[node.operands[-1]]
            exponent = last.value if node.op is Op.POW and last.op is Op.CONSTANT else None
            return np.float64(operate(self.machine, node, [value(i) for i in node.operands], exponent))

        for position in (*program.hoisted.order, *block.order):
            known[position] = apply(position)
        results = [value(root) for root in block.roots]
        if block is program.rhs:
            return [float(r) for r in results]
        guarded = [i in program.guarded for i in block.roots]
        return [float(finite_or_zero(self.machine, r) if g else r) for r, g in zip(results, guarded, strict=True)]

    def rates(self, state: Array, time: float) -> Array:
        """Return f."""
        return np.array(self.evaluate(self.program.rhs, state, time))

    def time_slope(self, state: Array, time: float) -> Array:
        """Return df/dt."""
        if not self.program.timed:
            return np.zeros(self.program.n_states)
        return np.array(self.evaluate(self.program.time_slope, state, time))

    def set_matrix(self, state: Array, time: float) -> None:
        """Set the matrix to -df/dy."""
        self.matrix[:] = 0.0
        self.matrix[list(self.program.entry_slots)] = -np.array(self.evaluate(self.program.jacobian, state, time))

    def factor(self, shift: float) -> None:
        """Add the shift to the diagonal and eliminate."""
        m = self.matrix
        for row in self.program.elimination.rows:
            m[row.diagonal] += shift
            for (_, slot), pivot, updates in zip(row.lower, row.pivots, row.updates, strict=True):
                m[slot] *= m[pivot]
                for target, source in updates:
                    m[target] = self.machine.fused(-m[slot], m[source], m[target])
            m[row.diagonal] = 1.0 / m[row.diagonal]

    def solve(self, right: Array) -> Array:
        """Return the solution of the factorised system."""
        m, x = self.matrix, np.array(right)
        for row in self.program.elimination.rows:
            for other, slot in row.lower:
                x[row.row] = self.machine.fused(-m[slot], x[other], x[row.row])
        for row in reversed(self.program.elimination.rows):
            for other, slot in row.upper:
                x[row.row] = self.machine.fused(-m[slot], x[other], x[row.row])
            x[row.row] *= m[row.diagonal]
        return x
