r"""How subunits share their partners: what a cell makes of each heterodimer, from parameters alone.

A cell's repertoire says what it makes at rest. If subunits are raised, lowered or added, each pair
follows both its subunits, and partners that compete for the same subunit lose what it gains:

.. math::

    m_{ij} = t_{ij} + e_{ij} \frac{r_{ij} a_i b_j + t_i q_{ij} b_j + t_j p_{ij} a_i}{d_i d_j},
    \qquad
    d_i = 1 + \lambda_i \frac{\sum_j (r_{ij} b_j + t_j p_{ij}) - R_i}{R_i + t_i}

with the repertoire *r* (sums *R*), the folds *a* and *b* of the subunits, transgenes *t* of subunits
and heterodimers, the share *q* or *p* of a transgenic subunit that goes to each partner, and the
paired share *λ* of a subunit; *d* of a β subunit is the same with α and β exchanged. At rest *d* = 1,
so that the repertoire is met exactly; without a subunit nothing is made of its pairs.
"""

from __future__ import annotations

from collections.abc import Sequence

from haptos.signalling.building.integrins.library import Heterodimer, subunits

__all__ = ["pairing_rules"]


def pairing_rules(there: Sequence[Heterodimer]) -> list[str]:
    """Return the rules ``share_made_<H>`` and ``share_demand_<subunit>``.

    Parameters
    ----------
    there : sequence of Heterodimer
        What the network instantiates.
    """
    parts = dict.fromkeys(u for h in there for u in (h.alpha, h.beta))
    return [*(_demand(u, there) for u in parts), *(_made(h, there) for h in there)]


def _made(pair: Heterodimer, there: Sequence[Heterodimer]) -> str:
    a, b = _fold(pair.alpha), _fold(pair.beta)
    terms = [
        f"repertoire__{pair.name} * {a} * {b}",
        f"transgene__{pair.alpha} * {_preference(pair, pair.alpha, there)}{b}",
        f"transgene__{pair.beta} * {_preference(pair, pair.beta, there)}{a}",
    ]
    shared = f"share_demand_{pair.alpha} * share_demand_{pair.beta}"
    made = f"expression__{pair.name} * ({' + '.join(terms)}) / ({shared})"
    return f"  share_made_{pair.name} := transgene__{pair.name} + {made};"


def _fold(subunit: str) -> str:
    """Return the expression of a subunit relative to rest."""
    gains = [f" * (1 dimensionless + {x}_induction_{subunit} * input__{x})" for x in subunits()[subunit].induced_by]
    return f"expression__{subunit}{''.join(gains)}"


def _partners(subunit: str, there: Sequence[Heterodimer]) -> list[Heterodimer]:
    return [h for h in there if subunit in (h.alpha, h.beta)]


def _preference(pair: Heterodimer, subunit: str, there: Sequence[Heterodimer]) -> str:
    """Return the share of a transgenic subunit that goes into `pair`, as a factor; empty if all."""
    rivals = _partners(subunit, there)
    if len(rivals) == 1:
        return ""
    total = " + ".join(f"repertoire__{h.name} + pairing_trace" for h in rivals)
    return f"(repertoire__{pair.name} + pairing_trace) / ({total}) * "


def _demand(subunit: str, there: Sequence[Heterodimer]) -> str:
    """Return how much more of a subunit its partners ask for than at rest."""
    pairs = _partners(subunit, there)
    asked = []
    for pair in pairs:
        partner = pair.beta if subunit == pair.alpha else pair.alpha
        asked.append(f"repertoire__{pair.name} * {_fold(partner)}")
        asked.append(f"transgene__{partner} * {_preference(pair, partner, there)}1 dimensionless")
    rest = " + ".join(f"repertoire__{h.name}" for h in pairs)
    paired = "beta1_paired" if subunit == "ITGB1" else "alpha_paired" if subunit.startswith("ITGA") else "beta_paired"
    change = f"({' + '.join(asked)} - ({rest})) / ({rest} + transgene__{subunit} + pairing_floor)"
    return f"  share_demand_{subunit} := 1 dimensionless + {paired} * {change};"
