"""The arms of a trial, compared: who is treated with what, where, and what is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from haptos.conditions.interventions import Intervention, SwapCells
from haptos.evidence.claims import Trial
from haptos.evidence.phrases import Names, agent, details, listed, readout_phrase, setting, surroundings

__all__ = ["Pair", "Scene", "Steps"]

Steps = tuple[Intervention, ...]


@dataclass(frozen=True)
class Pair:
    """A test arm against its reference: cells, shared steps, steps of one side only.

    `induced` are those steps of the reference that the control arm lacks; `background` are
    the shared steps without them.
    """

    cells: str
    other_cells: str
    shared: Steps
    added: Steps
    removed: Steps
    induced: Steps = ()

    @property
    def background(self) -> Steps:
        """Shared steps that did not bring about what is undone."""
        return tuple(step for step in self.shared if step not in self.induced)


class Scene:
    """One trial with the names of its parts, ready to be worded."""

    def __init__(self, trial: Trial, names: Names) -> None:
        self.trial = trial
        self.names = names
        self.arms = cast("Mapping[str, Steps]", trial.arms)
        self.what = readout_phrase(trial.readout, trial.assay, names)
        self.culture = surroundings(trial.culture, names)

    def steps(self, arm: str) -> Steps:
        """Return the interventions of an arm without its choice of cells."""
        return tuple(step for step in self.arms.get(arm, ()) if not isinstance(step, SwapCells))

    def cells(self, arm: str) -> str:
        """Return the cells of an arm."""
        swapped = [step.swap_cells for step in self.arms.get(arm, ()) if isinstance(step, SwapCells)]
        return swapped[-1] if swapped else self.trial.cells

    def pair(self, test: str, reference: str, control: str | None = None) -> Pair:
        """Compare two arms."""
        ours, theirs = self.steps(test), self.steps(reference)
        before = theirs if control is None else self.steps(control)
        return Pair(
            self.cells(test),
            self.cells(reference),
            tuple(step for step in ours if step in theirs),
            tuple(step for step in ours if step not in theirs),
            tuple(step for step in theirs if step not in ours),
            tuple(step for step in theirs if step not in before),
        )

    def reading(self) -> str:
        """Return assay and time of the reading."""
        readout = self.trial.readout
        parts = [self.names.assay(self.trial.assay)]
        parts += [str(readout.at)] if readout is not None and readout.at is not None else []
        parts += [f"over that at {readout.since}"] if readout is not None and readout.since is not None else []
        parts += ["over time"] if readout is not None and readout.summary == "time_course" else []
        return ", ".join(parts)

    def place(self, cells: Sequence[str], shared: Steps = ()) -> str:
        """Return 'in these cells, on this surface, with these steps'."""
        where = "in " + listed([self.names.cells(name) for name in cells])
        text = " ".join(part for part in (where, self.culture, *self.settings(shared)) if part)
        return text.replace(" with ", " and ").replace(" and ", " with ", 1) if text.count(" with ") > 1 else text

    def settings(self, steps: Steps) -> list[str]:
        """Return steps as circumstances, those with 'with' joined."""
        found = [setting(step, self.names) for step in steps]
        plain = [text for text in found if not text.startswith("with ")]
        joined = [text.removeprefix("with ") for text in found if text.startswith("with ")]
        return [*plain, *([f"with {listed(joined)}"] if joined else [])]

    def doses(self, steps: Iterable[Intervention]) -> list[str]:
        """Return steps as acting phrases with their amounts."""
        told = ((agent(step, self.names), details(step)) for step in steps)
        return [f"{text} ({how})" if how else text for text, how in told]

    def cause(self, steps: Steps) -> str:
        """Return steps applied together as one acting phrase."""
        first, *others = (agent(step, self.names) for step in steps)
        return f"{first} together with {listed(others)}" if others else first

    def unit(self) -> str:
        """Return the unit of the readout with a space before it; empty for pure numbers."""
        readout = self.trial.readout
        if (
            readout is None
            or readout.over
            or readout.since is not None
            or readout.summary in ("integral", "rate_of_change")
        ):
            return ""
        unit = self.names.measure(self.trial.assay, readout.measure)[1]
        unit = "min" if readout.summary in ("delay", "half_life") else unit
        if unit.startswith("1/"):
            return f" per {unit.removeprefix('1/')}"
        return "" if unit in ("", "1", "a.u.") else f" {unit}"
