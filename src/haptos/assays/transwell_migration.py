"""Transwell migration: cells that crossed an uncoated filter."""

from __future__ import annotations

from typing import ClassVar, Literal, override

from pydantic import Field

from haptos.assays.base import own_protocol
from haptos.assays.transwell import AbstractTranswell, TranswellProtocol, bare_filter
from haptos.conditions.experiment import Protocol
from haptos.motility.barriers import Barrier
from haptos.motility.parameters import CrossingParameters

__all__ = ["TranswellMigration", "TranswellMigrationProtocol"]


class TranswellMigrationProtocol(TranswellProtocol):
    """Protocol of a migration through an uncoated filter."""

    name: Literal["transwell_migration"] = Field("transwell_migration", description="the assay")


class TranswellMigration(AbstractTranswell):
    """Cells per field below an uncoated filter."""

    name = "transwell_migration"
    label = "transwell migration"
    protocol = TranswellMigrationProtocol
    counted = "migrated"
    measures: ClassVar = {"migrated": "1/field"}

    @override
    def barrier(self, protocol: Protocol, parameters: CrossingParameters) -> Barrier:
        """Return the filter with the film of proteins in its pores."""
        return bare_filter(own_protocol(protocol, TranswellMigrationProtocol), parameters)
