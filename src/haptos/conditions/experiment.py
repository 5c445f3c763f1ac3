"""The experiment file of a bench scientist, as a frozen specification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, GetCoreSchemaHandler, SerializeAsAny, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError, core_schema

from haptos.conditions.interventions import AnyIntervention, Cells, Coating
from haptos.core.specs import Catalogue, CellDensity, Fraction, MassConcentration, Quantity, Spec
from haptos.errors import nearest

__all__ = ["Comparison", "Culture", "Experiment", "Protocol", "Replicates"]


class Culture(Spec):
    """Where the cells are before and during the assay, unless an arm changes it."""

    coating: Coating = Field("plastic", description="what the cells stand on or are embedded in")
    geometry: Literal["2D", "3D", "suspension"] = Field("2D", description="layer, gel or floating")
    serum: Fraction = Field(Quantity(0.1, "fraction", "10 %"), description="serum in the medium")
    gel: MassConcentration | None = Field(None, description="gel concentration, for 3D")
    density: CellDensity = Field(Quantity(5e-7, "cell density", "5e5 / mL"), description="cells per volume of medium")


class Replicates(Spec):
    """How often the experiment is repeated."""

    biological: int = Field(3, ge=2, le=60, description="independent repeats (n of the statistics)")
    technical: int = Field(1, ge=1, le=24, description="measurements per repeat, averaged")


class Comparison(Spec):
    """One comparison of the statistics: the arm `test` against the arm `against`."""

    test: str
    against: str


class Protocol(Spec):
    """Base of all assay protocols; the field `name` says which assay."""

    name: str


@dataclass(frozen=True)
class ChosenByName:
    """Annotation: a spec whose class the catalogue chooses by the field `name`."""

    kind: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self._choose,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda protocol: protocol.model_dump(mode="json")
            ),
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}

    def _choose(self, raw: Any, info: ValidationInfo) -> Protocol:
        if isinstance(raw, Protocol):
            return raw
        data = {"name": raw} if isinstance(raw, str) else raw
        if not isinstance(data, dict) or not isinstance(data.get("name"), str):
            raise PydanticCustomError("assay", "the assay needs a name, for instance 'name: western_blot'")
        catalogue = info.context
        models = catalogue.models.get(self.kind, {}) if isinstance(catalogue, Catalogue) else {}
        name = data["name"]
        if name in models:
            return models[name].model_validate(data, context=catalogue)  # type: ignore[return-value]
        raise PydanticCustomError(
            "unknown_name",
            "unknown {label} '{name}'",
            {
                "label": self.kind,
                "name": name,
                "near": ", ".join(nearest(name, list(models))),
                "allowed": ", ".join(models),
            },
        )


class Experiment(Spec):
    """An experiment: cells, arms, assay, repeats and comparisons.

    Attributes
    ----------
    haptos : int
        Version of the file format, 1.
    title : str
        Free text for the report.
    cells : str
        Cell line or context of the library.
    culture : Culture
        Surroundings common to all arms.
    shared : list of interventions
        Applied in every arm.
    arms : mapping of str to list of interventions
        The arms by their label; an empty list is the untreated control.
    assay : Protocol
        The assay with its protocol.
    replicates : Replicates
        Repeats.
    compare : list of Comparison
        Comparisons to test; empty means every arm against the first.
    seed : int
        Root seed of all random streams.
    """

    haptos: Literal[1] = Field(1, description="version of this file format")
    title: str = Field("", max_length=200)
    cells: Cells
    culture: Culture = Culture()
    shared: tuple[AnyIntervention, ...] = ()
    arms: dict[str, tuple[AnyIntervention, ...]] = Field(min_length=1)
    assay: Annotated[SerializeAsAny[Protocol], ChosenByName("assay")]
    replicates: Replicates = Replicates()
    compare: tuple[Comparison, ...] = ()
    seed: int = Field(1, ge=0, lt=2**63)

    @field_validator("compare")
    @classmethod
    def _arms_exist(cls, compare: tuple[Comparison, ...], info: ValidationInfo) -> tuple[Comparison, ...]:
        arms = info.data.get("arms")
        if arms is None:
            return compare
        wrong = sorted({n for c in compare for n in (c.test, c.against) if n not in arms})
        if wrong:
            near = [m for n in wrong for m in nearest(n, list(arms), 1)]
            raise PydanticCustomError(
                "unknown_name",
                "unknown arm {name}",
                {"name": ", ".join(map(repr, wrong)), "near": ", ".join(near), "allowed": ", ".join(arms)},
            )
        same = [c.test for c in compare if c.test == c.against]
        if same:
            raise PydanticCustomError("compare", "the arm {name} is compared with itself", {"name": repr(same[0])})
        return compare

    @property
    def comparisons(self) -> tuple[Comparison, ...]:
        """The comparisons to test: those written, or every arm against the first."""
        if self.compare:
            return self.compare
        first, *others = self.arms
        return tuple(Comparison(test=arm, against=first) for arm in others)
