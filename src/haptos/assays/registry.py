"""All assays by name, put together in this one place."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from haptos.assays.adhesion_strength import AdhesionAssay
from haptos.assays.apoptosis import ApoptosisAssay
from haptos.assays.base import AbstractAssay
from haptos.assays.binding_affinity import BindingAffinity
from haptos.assays.cell_cycle import CellCycleAnalysis
from haptos.assays.clustering import Clustering
from haptos.assays.co_ip import CoImmunoprecipitation
from haptos.assays.drug_survival import DrugSurvival
from haptos.assays.elisa import Elisa
from haptos.assays.emsa import GelShift
from haptos.assays.flow_surface_expression import FlowCytometry
from haptos.assays.gtpase_pulldown import GTPasePulldown
from haptos.assays.invasion_3d import Invasion3D
from haptos.assays.lateral_mobility import LateralMobility
from haptos.assays.live_imaging_localization import LiveImaging
from haptos.assays.nuclear_fraction import NuclearFraction
from haptos.assays.phospho_blot import PhosphoBlot
from haptos.assays.qpcr import QuantitativePCR
from haptos.assays.reporter import LuciferaseReporter
from haptos.assays.transwell_invasion import TranswellInvasion
from haptos.assays.transwell_migration import TranswellMigration
from haptos.assays.western_blot import WesternBlot
from haptos.assays.zymography import Zymography
from haptos.conditions.experiment import Protocol
from haptos.errors import ParameterError, nearest

__all__ = ["ASSAYS", "find_assay", "protocol_models"]

#: The assays by the name that experiment files use.
ASSAYS: Mapping[str, AbstractAssay] = MappingProxyType(
    {
        assay.name: assay
        for assay in (
            WesternBlot(),
            PhosphoBlot(),
            QuantitativePCR(),
            Zymography(),
            NuclearFraction(),
            GelShift(),
            LuciferaseReporter(),
            Elisa(),
            CoImmunoprecipitation(),
            GTPasePulldown(),
            FlowCytometry(),
            BindingAffinity(),
            Clustering(),
            LateralMobility(),
            AdhesionAssay(),
            LiveImaging(),
            CellCycleAnalysis(),
            ApoptosisAssay(),
            DrugSurvival(),
            TranswellMigration(),
            TranswellInvasion(),
            Invasion3D(),
        )
    }
)


def find_assay(name: str) -> AbstractAssay:
    """Return an assay by its name.

    Raises
    ------
    ParameterError
        If there is none of this name; the message gives the nearest.

    Examples
    --------
    >>> find_assay("qpcr").label
    'quantitative PCR'
    """
    if name not in ASSAYS:
        near = nearest(name, list(ASSAYS))
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise ParameterError(f"unknown assay {name!r}; allowed: {', '.join(ASSAYS)}{hint}")
    return ASSAYS[name]


def protocol_models() -> Mapping[str, type[Protocol]]:
    """Return the protocol class of each assay, for the catalogue that checks experiment files."""
    return MappingProxyType({name: assay.protocol for name, assay in ASSAYS.items()})
