"""Which claims the lab can test, and what the others wait for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from haptos.errors import HaptosError
from haptos.evidence.claims import Count
from haptos.lab.judging import latest_time
from haptos.lab.plan import condition_of, registered_assays
from haptos.lab.simulator import CellSimulator, Simulator
from haptos.lab.static import missing_registry
from haptos.lab.trials import experiment_of, missing_part

if TYPE_CHECKING:
    from haptos.assays.base import AbstractAssay
    from haptos.evidence.claims import Claim, Trial
    from haptos.signalling.cells import CellLine

__all__ = ["expressibility", "trial_expressibility"]


def expressibility(claim: Claim) -> str | None:
    """Return why a claim cannot be judged yet; None if it can.

    Parameters
    ----------
    claim : Claim
        Only its trial is looked at; for counts the registry, and for courses how long they must be.
    """
    if claim.trial is None:
        return f"untestable: {(claim.untestable or 'no trial').replace('_', ' ')}"
    if isinstance(claim.expect, Count):
        return missing_registry(claim.expect)
    assays = registered_assays()
    reason = trial_expressibility(claim.trial, CellSimulator(), assays)
    return reason if reason is not None else _too_short(claim, claim.trial, assays)


def _too_short(claim: Claim, trial: Trial, assays: Mapping[str, AbstractAssay]) -> str | None:
    """Return why the course of a trial cannot show what a claim says of a later time; None if it can."""
    asked = latest_time(claim.expect)
    end = float(assays[trial.assay].times(experiment_of(trial, assays).assay)[-1])
    if asked is None or asked.value <= end:
        return None
    return f"the course ends at {end / 60:g} h, but the expectation speaks of {asked}; give the readout a later 'at'"


def trial_expressibility(
    trial: Trial,
    simulator: Simulator,
    assays: Mapping[str, AbstractAssay],
    contexts: Mapping[str, CellLine] | None = None,
) -> str | None:
    """Return why a trial cannot be run; None if it can. `contexts` are the user's own cells."""
    missing = missing_part(trial, assays)
    if missing is not None:
        return missing
    experiment = experiment_of(trial, assays)
    assay = assays[trial.assay]
    reasons: list[str] = []
    for label in experiment.arms:
        try:
            reasons += simulator.expressibility(condition_of(experiment, label, assay, contexts))
        except HaptosError as error:
            reasons.append(str(error))
    return "; ".join(dict.fromkeys(reasons)) or None
