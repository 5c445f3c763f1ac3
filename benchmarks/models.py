"""The models of the benchmarks: where they come from, how long they run, one normal form.

Every engine gets the same normalised SBML: local parameters made global, functions and
initial assignments written out, and, so that no engine is stopped by what is not measured
here, events replaced by the values they set and switches in time by their last value.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import libsbml

__all__ = ["MODELS", "Model", "normalised", "read_model"]


@dataclass(frozen=True)
class Model:
    """One model of the benchmark.

    Attributes
    ----------
    key, title : str
        Short name of files and tables; name in figures.
    repository, path : str
        Public repository ``owner/name`` and the file in it; empty for the composed model.
    end, time_unit : float, str
        What is simulated, from 0, in the time unit of the model.
    note : str
        What normalising changed in the model.
    sets : int
        Parameter sets of a full run.
    signed : bool
        Whether species fall below zero by the model's own equations, so that haptos has to
        take them as they stand.
    reference : str
        What computes the reference: LSODA of SciPy, or CVODE of libRoadRunner where LSODA,
        with its dense factorisations, would take minutes for every simulation.
    """

    key: str
    title: str
    repository: str
    path: str
    end: float
    time_unit: str
    note: str = ""
    sets: int = 256
    signed: bool = False
    reference: str = "LSODA"


def _biomodel(number: int) -> tuple[str, str]:
    name = f"BIOMD{number:010d}"
    return f"biomodels/{name}", f"{name}/{name}.xml"


def _petab(name: str) -> tuple[str, str]:
    return "Benchmarking-Initiative/Benchmark-Models-PEtab", f"Benchmark-Models/{name}/model_{name}.xml"


MODELS = (
    Model("K10", "Kholodenko 2000, MAPK oscillator", *_biomodel(10), 9000.0, "s"),
    Model("H140", "Hoffmann 2002, NF-κB", *_biomodel(140), 360.0, "min", "IKK on from the start (event at 2000 min)"),
    Model(
        "R227",
        "Radulescu 2008, NF-κB",
        *_biomodel(227),
        36000.0,
        "s",
        "signal on from the start (event at 72000 s); pools that serve as sources fall below zero",
        signed=True,
    ),
    Model("Sal20", "Salazar-Cavazos 2020, EGFR", *_petab("SalazarCavazos_MBoC2020"), 300.0, "s"),
    Model("B223", "Borisov 2009, EGF and insulin", *_biomodel(223), 3600.0, "s"),
    Model("S19", "Schoeberl 2002, EGF and MAPK", *_biomodel(19), 60.0, "min"),
    Model("La24", "Lang 2024, cell cycle", *_petab("Lang_PLOSComputBiol2024"), 136471.0, "s", sets=64),
    Model("own", "haptos, composed model", "", "", 4320.0, "min", sets=128),
    Model(
        "C255",
        "Chen 2009, ErbB",
        *_biomodel(255),
        7200.0,
        "s",
        "step functions of time held at their last value",
        sets=24,
        reference="CVODE",
    ),
)


def read_model(model: Model, folder: Path) -> str:
    """Return the normalised SBML of a model whose file ``fetch_models.py`` put into a folder."""
    if not model.path:
        from haptos.signalling.model import composed_sbml

        return normalised(composed_sbml())
    return normalised((folder / f"{model.key}.xml").read_text(encoding="utf-8"))


def normalised(sbml: str) -> str:
    """Return the model in the form that all engines get.

    Raises
    ------
    ValueError
        If libSBML cannot convert it, or an event sets something else than a number.
    """
    document = libsbml.readSBMLFromString(sbml)
    _hold_steps(document.getModel())
    for what in ("promoteLocalParameters", "expandFunctionDefinitions", "expandInitialAssignments"):
        properties = libsbml.ConversionProperties()
        properties.addOption(what)
        if document.convert(properties) != libsbml.LIBSBML_OPERATION_SUCCESS:
            raise ValueError(f"libSBML cannot apply {what}")
    _apply_events(document.getModel())
    return libsbml.writeSBMLToString(document)


def _hold_steps(model: libsbml.Model) -> None:
    """Replace ``x := stepfunc(time, t0, before, t1, after)`` by ``x = after``."""
    for rule in list(model.getListOfRules()):
        math = rule.getMath()
        if rule.isAssignment() and math.getType() == libsbml.AST_FUNCTION and math.getName().startswith("stepfunc"):
            name, value = rule.getVariable(), _number(math.getChild(4))
            model.removeRuleByVariable(name)
            _set_value(model, name, value)


def _apply_events(model: libsbml.Model) -> None:
    """Replace every event by the values it sets, from the start."""
    while model.getNumEvents():
        event = model.removeEvent(0)
        for assignment in event.getListOfEventAssignments():
            _set_value(model, assignment.getVariable(), _number(assignment.getMath()))


def _set_value(model: libsbml.Model, name: str, value: float) -> None:
    if parameter := model.getParameter(name):
        parameter.setValue(value)
    elif (species := model.getSpecies(name)) and species.isSetInitialAmount():
        species.setInitialAmount(value)
    elif species:
        species.setInitialConcentration(value)
    else:
        raise ValueError(f"{name} is neither a parameter nor a species")


def _number(math: libsbml.ASTNode) -> float:
    if math.isUMinus():
        return -_number(math.getChild(0))
    if not math.isNumber():
        raise ValueError(f"{libsbml.formulaToL3String(math)} is not a number")
    return float(math.getValue())
