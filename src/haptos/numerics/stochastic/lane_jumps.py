"""Write the direct method of W lanes as LLVM text: every lane is a run of its own.

Where laws are few it is cheaper to evaluate all of them in straight lines for W runs at
once than to look up what changed for one. Sums, search and updates follow the eightfold
tree of :mod:`haptos.numerics.stochastic._kernel` addition by addition, so a lane has the
bits of that kernel. The jumps of all lanes advance together until one of them needs
attention: its piece or its stretch without outputs ends, a rate is not admissible, or
rounding leads the search to a propensity of zero (:data:`BY_HAND`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from haptos.numerics.engine.vectors import Function, Module, Value
from haptos.numerics.stochastic.lane_draws import write_refill
from haptos.numerics.stochastic.lane_laws import LaneLaws, Search, changes_of, either, invert, tree
from haptos.numerics.stochastic.lane_layout import LaneLayout
from haptos.numerics.stochastic.system import StochasticSystem

__all__ = ["BY_HAND", "NEGATIVE_COUNT", "NEGATIVE_LAW", "write_jumps"]

BY_HAND: Final = 1
"""The next jump must be searched with care."""
NEGATIVE_COUNT: Final = 2
"""The last jump took more molecules than there were."""
NEGATIVE_LAW: Final = 3
"""A propensity is negative."""


def write_jumps(system: StochasticSystem, layout: LaneLayout, width: int) -> str:
    """Return a module with ``jumps(w, most) -> jumps made``, for a system in `width` lanes."""
    module = Module(width)
    write_refill(module, layout)
    _Writer(module, system, layout).write()
    return module.text()


class _Writer:
    """Writes the loop over jumps."""

    def __init__(self, module: Module, system: StochasticSystem, layout: LaneLayout) -> None:
        self.module, self.system, self.layout = module, system, layout
        self.f = Function(module)
        self.laws = LaneLaws(self.f, system, layout)
        self.changes = changes_of(system)
        self.moved = sorted({i for row in self.changes for i, _ in row})

    def write(self) -> None:
        """Write the function."""
        f, at = self.f, self.layout
        self._begin()
        f.line("top:")
        self._refill()
        clock, position = self._get("clock"), f.bits(self._get("position"))
        x = {i: self._get(f"x{i}") for i in self.moved}
        x |= {i: f.load(at.x + i) for i in range(self.system.n_states) if i not in x}
        a, negative = self.laws.propensities(x)
        root = tree(f, a)
        drawn = self._drawn(at.times, position)
        pending = f.arithmetic("add", clock, f.arithmetic("div", drawn, root.total))
        finite = f.compare("lt", root.total, f.number(float("inf")))
        calm = f.logic("and", f.compare("lt", pending, self.bound), finite)
        mark = f.arithmetic("mul", self._drawn(at.marks, position), root.total)
        search = Search(f)
        search.below(root, mark)
        odd = either(f, search.odd)
        halted = f.logic("and", self.live, either(f, [invert(f, calm), *odd, *negative])[0])
        self._branch_any(halted, "attention", "more")
        f.line("more:")
        made = self._made()
        full = f.fresh()
        f.line(f"{full} = icmp eq i64 {made}, %most")
        f.line(f"br i1 {full}, label %attention, label %go")
        f.line("go:")
        short = self._move(x, search.chosen)
        self._put("clock", pending)
        self._put("position", f.from_bits(f.integer("add", position, f.whole(1))))
        f.line(f"store i64 {f.plus(made, 1)}, ptr %made")
        if short:
            self._branch_any(f.logic("and", self.live, short[0]), "short", "top")
            f.line("short:")
            self._flag([(NEGATIVE_COUNT, short[0])], f.number(float("-inf")), f.number(1.0))
        else:
            f.line("br label %top")
        f.line("attention:")
        flags: list[tuple[int, Value]] = [(BY_HAND, mask) for mask in odd] + [(NEGATIVE_LAW, mask) for mask in negative]
        self._flag(flags, pending, root.total)
        self._leave()
        self.module.add(f.text("i64 @jumps(ptr noalias %w, i64 %most)"))

    def _begin(self) -> None:
        """Take from memory what the loop carries."""
        f, at = self.f, self.layout
        f.line("%made = alloca i64")
        f.line("store i64 0, ptr %made")
        self.live = f.compare("lt", f.number(0.0), f.load(at.live))
        self.bound = f.load(at.bound)
        self.carried = {"clock": at.clock, "position": at.position, **{f"x{i}": at.x + i for i in self.moved}}
        for name, row in self.carried.items():
            f.line(f"%{name} = alloca {self.module.vector}, align {8 * self.module.width}")
            self._put(name, f.load(row))
        f.line("br label %top")

    def _get(self, name: str) -> Value:
        register = self.f.fresh()
        self.f.line(f"{register} = load {self.module.vector}, ptr %{name}")
        return Value(register, "double")

    def _put(self, name: str, value: Value) -> None:
        self.f.line(f"store {self.module.vector} {value.text}, ptr %{name}")

    def _made(self) -> str:
        register = self.f.fresh()
        self.f.line(f"{register} = load i64, ptr %made")
        return register

    def _branch_any(self, mask: Value, yes: str, no: str) -> None:
        """Branch on whether a mask holds in any lane."""
        f, width = self.f, self.module.width
        packed, some = f.fresh(), f.fresh()
        f.line(f"{packed} = bitcast <{width} x i1> {mask.text} to i{width}")
        f.line(f"{some} = icmp ne i{width} {packed}, 0")
        f.line(f"br i1 {some}, label %{yes}, label %{no}")

    def _refill(self) -> None:
        """Draw anew if a lane has used all pairs at hand."""
        f, at = self.f, self.layout
        position = f.bits(self._get("position"))
        full, width = f.fresh(), self.module.width
        words = f"<{width} x i64>"
        f.line(f"{full} = icmp uge {words} {position.text}, {f.whole(at.pairs).text}")
        self._branch_any(Value(full, "i1"), "refilling", "filled")
        f.line("refilling:")
        f.store(f.from_bits(position), at.position)
        f.line("call void @refill(ptr %w)")
        self._put("position", f.load(at.position))
        f.line("br label %filled")
        f.line("filled:")

    def _drawn(self, row: int, position: Value) -> Value:
        """Return the number at hand of every lane."""
        f, width = self.f, self.module.width
        words, vector = f"<{width} x i64>", self.module.vector
        lanes = ", ".join(f"i64 {row * width + lane}" for lane in range(width))
        place = f.integer("add", f.integer("mul", position, f.whole(width)), Value(f"<{lanes}>", "i64"))
        pointers, result = f.fresh("p"), f.fresh()
        f.line(f"{pointers} = getelementptr double, ptr %w, {words} {place.text}")
        symbol = f"@llvm.masked.gather.v{width}f64.v{width}p0"
        kinds = f"<{width} x ptr>", f"<{width} x i1>"
        self.module.need(symbol, f"declare {vector} {symbol}({kinds[0]}, i32, {kinds[1]}, {vector})")
        given = f"{kinds[0]} {pointers}, i32 8, {kinds[1]} splat (i1 true), {vector} poison"
        f.line(f"{result} = call {vector} {symbol}({given})")
        return Value(result, "double")

    def _move(self, x: Mapping[int, Value], chosen: Mapping[int, Value]) -> list[Value]:
        """Change the counts by the chosen jumps; return where one fell short, if any can."""
        f, short = self.f, list[Value]()
        for i in self.moved:
            change = f.number(0.0)
            for r, row in enumerate(self.changes):
                for species, by in row:
                    if species == i:
                        change = f.select(chosen[r], f.number(by), change)
            after = f.arithmetic("add", x[i], change)
            self._put(f"x{i}", after)
            if self.laws.may_fall_short(i):
                short.append(f.compare("lt", after, f.number(0.0)))
        return either(f, short)

    def _flag(self, flags: Sequence[tuple[int, Value]], pending: Value, total: Value) -> None:
        f, at = self.f, self.layout
        flag = f.number(0.0)
        for code, mask in flags:
            flag = f.select(mask, f.number(float(code)), flag)
        f.store(flag, at.flag)
        f.store(pending, at.pending)
        f.store(total, at.total)
        f.line("br label %leave")

    def _leave(self) -> None:
        """Give the state back."""
        f = self.f
        f.line("leave:")
        for name, row in self.carried.items():
            f.store(self._get(name), row)
        f.line(f"ret i64 {self._made()}")
