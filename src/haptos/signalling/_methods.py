"""The numerical methods behind results, and how to cite them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["Citation", "citations", "method_of"]


@dataclass(frozen=True, slots=True)
class Citation:
    """One work to cite.

    Attributes
    ----------
    key : str
        BibTeX key.
    author, title, journal, year, pages : str
        Fields of the entry; `journal` with volume, or the publisher of a book.
    doi : str
        Digital object identifier.
    """

    key: str
    author: str
    title: str
    journal: str
    year: str
    pages: str
    doi: str

    @property
    def bibtex(self) -> str:
        """The entry as BibTeX."""
        fields = ("author", "title", "journal", "year", "pages", "doi")
        lines = [f"  {name} = {{{getattr(self, name)}}}," for name in fields if getattr(self, name)]
        return "\n".join([f"@article{{{self.key},", *lines, "}"])

    def __str__(self) -> str:
        return f"{self.author} ({self.year}) {self.title}. {self.journal}. doi:{self.doi}"


_LSODA = Citation(
    "petzold1983",
    "Petzold, Linda",
    "Automatic selection of methods for solving stiff and nonstiff systems of ordinary differential equations",
    "SIAM Journal on Scientific and Statistical Computing 4(1)",
    "1983",
    "136--148",
    "10.1137/0904010",
)
_SCIPY = Citation(
    "virtanen2020",
    "Virtanen, Pauli and others",
    "SciPy 1.0: fundamental algorithms for scientific computing in Python",
    "Nature Methods 17",
    "2020",
    "261--272",
    "10.1038/s41592-019-0686-2",
)
_RODAS5P = Citation(
    "steinebach2023",
    "Steinebach, Gerd",
    "Construction of Rosenbrock-Wanner method Rodas5P and numerical benchmarks within the Julia Differential "
    "Equations package",
    "BIT Numerical Mathematics 63",
    "2023",
    "27",
    "10.1007/s10543-023-00967-x",
)
_RODAS4 = Citation(
    "hairer1996",
    "Hairer, Ernst and Wanner, Gerhard",
    "Solving Ordinary Differential Equations II: Stiff and Differential-Algebraic Problems",
    "Springer",
    "1996",
    "",
    "10.1007/978-3-642-05221-7",
)
_GILLESPIE = Citation(
    "gillespie1977",
    "Gillespie, Daniel T.",
    "Exact stochastic simulation of coupled chemical reactions",
    "The Journal of Physical Chemistry 81(25)",
    "1977",
    "2340--2361",
    "10.1021/j100540a008",
)
_TAU = Citation(
    "cao2006",
    "Cao, Yang and Gillespie, Daniel T. and Petzold, Linda R.",
    "Efficient step size selection for the tau-leaping simulation method",
    "The Journal of Chemical Physics 124(4)",
    "2006",
    "044109",
    "10.1063/1.2159468",
)
_TRAPEZOIDAL = Citation(
    "anderson2012",
    "Anderson, David F. and Koyama, Masanori",
    "Weak error analysis of numerical methods for stochastic models of population processes",
    "Multiscale Model. Simul. 10(4)",
    "2012",
    "1493--1524",
    "10.1137/110849699",
)
_ROADRUNNER = Citation(
    "welsh2023",
    "Welsh, Ciaran and Xu, Jin and Smith, Lucian and others",
    "libRoadRunner 2.0: a high performance SBML simulation and analysis library",
    "Bioinformatics 39(1)",
    "2023",
    "btac770",
    "10.1093/bioinformatics/btac770",
)
_CVODE = Citation(
    "hindmarsh2005",
    "Hindmarsh, Alan C. and others",
    "SUNDIALS: suite of nonlinear and differential/algebraic equation solvers",
    "ACM Transactions on Mathematical Software 31(3)",
    "2005",
    "363--396",
    "10.1145/1089014.1089020",
)

_WORKS: Final[Mapping[str, tuple[Citation, ...]]] = MappingProxyType(
    {
        "LSODA": (_LSODA, _SCIPY),
        "Rodas5P": (_RODAS5P,),
        "Rodas4": (_RODAS4,),
        "exact": (_GILLESPIE,),
        "leap": (_GILLESPIE, _TAU, _TRAPEZOIDAL),
        "libRoadRunner (CVODE)": (_ROADRUNNER, _CVODE),
    }
)


def citations(method: str) -> tuple[Citation, ...]:
    """Return the works to cite for a method; none if it is not known.

    Examples
    --------
    >>> [work.key for work in citations("LSODA")]
    ['petzold1983', 'virtanen2020']
    """
    return _WORKS.get(method, ())


def method_of(solver: object) -> str:
    """Return the name of the method of a solver.

    Examples
    --------
    >>> from haptos.numerics import EngineSolver
    >>> method_of(EngineSolver())
    'Rodas5P'
    """
    named = getattr(solver, "method", None)
    return named if isinstance(named, str) else type(solver).__name__
