"""The integrin family: the library of heterodimers, and how subunits share their partners."""

from haptos.signalling.building.integrins.library import (
    Bond,
    Gate,
    Heterodimer,
    Links,
    Subunit,
    TailBinder,
    duplicate_profiles,
    heterodimers,
    integrin_parameters,
    problems_of,
    subunits,
    tail_binders,
)

__all__ = [
    "Bond",
    "Gate",
    "Heterodimer",
    "Links",
    "Subunit",
    "TailBinder",
    "duplicate_profiles",
    "heterodimers",
    "integrin_parameters",
    "problems_of",
    "subunits",
    "tail_binders",
]
