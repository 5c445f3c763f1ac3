"""Coefficients of the Rosenbrock methods, in the transformed form of the literature.

Stage `i` of a step of size h solves, with ``E = I / (gamma h) - J``::

    E u_i = f(t + c_i h, y + sum_j a_ij u_j) + sum_j (C_ij / h) u_j + d_i h df/dt

The last stages start from the result of the one before, ``a_ij`` of the row before plus
1 for its own `u`; the last `u` is the difference of the results of two orders and so the
estimate of the error. Between the ends of a step, with ``s`` in [0, 1]::

    y(s) = (1 - s) y0 + s (y1 + (1 - s) (k_1 + s (k_2 + s k_3 ...))),  k_r = sum_j h_rj u_j

Both methods are L-stable. Where time drives a stiff system, the ends of a step follow the
drive however long the step is, and so does the estimate of the error, while the dense
output need not. For systems with time in their equations the error of the step is therefore
at least :data:`BETWEEN` times that of the dense output inside, estimated by what
it leaves of the equations there, ``E^-1 (f(y(s)) - y'(s) / h)``. It does not
depend on output times.

Both methods are L-stable. The tests check the order conditions by convergence.

References
----------
.. [HairerWanner1996] E. Hairer, G. Wanner, Solving Ordinary Differential Equations II,
   2nd ed., Springer (1996): RODAS, here called Rodas4.
.. [Steinebach2023] G. Steinebach, BIT Numer. Math. 63, 27 (2023): Rodas5P.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from haptos.numerics.engine.machine import Machine, weighted

__all__ = ["BETWEEN", "INSIDE", "RODAS4", "RODAS5P", "Tableau", "dense_inside", "tableau"]


@dataclass(frozen=True, slots=True)
class Tableau:
    """Coefficients of one method.

    Attributes
    ----------
    name : str
        Name of the method.
    order : int
        Order of the result; the error estimate belongs to one order less.
    gamma : float
        The diagonal coefficient.
    a, c_matrix : tuple of tuple of float
        Rows of a and C for stages 2 up; a row of `a` that is None continues the stage
        before by its own `u`.
    nodes, slopes : tuple of float
        c and d of every stage.
    dense : tuple of tuple of float
        Rows of h.
    """

    name: str
    order: int
    gamma: float
    a: tuple[tuple[float, ...] | None, ...]
    c_matrix: tuple[tuple[float, ...], ...]
    nodes: tuple[float, ...]
    slopes: tuple[float, ...]
    dense: tuple[tuple[float, ...], ...]

    @property
    def stages(self) -> int:
        """Number of stages."""
        return len(self.nodes)


RODAS4: Final = Tableau(
    name="Rodas4",
    order=4,
    gamma=0.25,
    a=(
        (1.544,),
        (0.9466785280815826, 0.2557011698983284),
        (3.314825187068521, 2.896124015972201, 0.9986419139977817),
        (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950),
        None,
    ),
    c_matrix=(
        (-5.6688,),
        (-2.430093356833875, -0.2063599157091915),
        (-0.1073529058151375, -9.594562251023355, -20.47028614809616),
        (7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160),
        (8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054),
    ),
    nodes=(0.0, 0.386, 0.21, 0.63, 1.0, 1.0),
    slopes=(0.25, -0.1043, 0.1035, -0.03620000000000023, 0.0, 0.0),
    dense=(
        (10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823, 1.025137723295662, 0.0),
        (-0.6762803392806898, 6.087714651680015, 16.43084320892478, 24.76722511418386, -6.594389125716872, 0.0),
    ),
)

RODAS5P: Final = Tableau(
    name="Rodas5P",
    order=5,
    gamma=0.21193756319429014,
    a=(
        (3.0,),
        (2.849394379747939, 0.45842242204463923),
        (-6.954028509809101, 2.489845061869568, -10.358996098473584),
        (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
        (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946),
        None,
        None,
    ),
    c_matrix=(
        (-14.155112264123755,),
        (-17.97296035885952, -2.859693295451294),
        (147.12150275711716, -1.41221402718213, 71.68940251302358),
        (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
        (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
        (
            30.91273214028599,
            -3.1208243349937974,
            77.79954646070892,
            34.28646028294783,
            -19.097331116725623,
            -28.087943162872662,
        ),
        (
            37.80277123390563,
            -3.2571969029072276,
            112.26918849496327,
            66.9347231244047,
            -40.06618937091002,
            -54.66780262877968,
            -9.48861652309627,
        ),
    ),
    nodes=(0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1.0, 1.0, 1.0),
    slopes=(
        0.21193756319429014,
        -0.42387512638858027,
        -0.3384627126235924,
        1.8046452872882734,
        2.325825639765069,
        0.0,
        0.0,
        0.0,
    ),
    dense=(
        (
            25.948786856663858,
            -2.5579724845846235,
            10.433815404888879,
            -2.3679251022685204,
            0.524948541321073,
            1.1241088310450404,
            0.4272876194431874,
            -0.17202221070155493,
        ),
        (
            -9.91568850695171,
            -0.9689944594115154,
            3.0438037242978453,
            -24.495224566215796,
            20.176138334709044,
            15.98066361424651,
            -6.789040303419874,
            -6.710236069923372,
        ),
        (
            11.419903575922262,
            2.8879645146136994,
            72.92137995996029,
            80.12511834622643,
            -52.072871366152654,
            -59.78993625266729,
            -0.15582684282751913,
            4.883087185713722,
        ),
    ),
)


BETWEEN: Final = 0.1
"""Error between the ends of a step, as counted beside the error at its end."""

INSIDE: Final = 0.35
"""Where it is looked for, as share of the step: not the middle, where odd errors vanish."""


def dense_inside(m: Machine, start: Any, result: Any, rows: Sequence[Any]) -> tuple[Any, Any]:
    """Return the dense output at :data:`INSIDE`, and its slope times the step size.

    Parameters
    ----------
    m : Machine
        Where to evaluate.
    start, result : number
        State at both ends.
    rows : sequence of number
        The coefficients k.
    """
    s, powers = INSIDE, range(len(rows))
    inner = weighted(m, [s**r for r in powers], rows)
    end = m.fused(m.number(1.0 - s), inner, result)
    state = m.fused(m.number(s), end, m.arithmetic("mul", m.number(1.0 - s), start))
    bends = [(1.0 - 2.0 * s) * s**r + (1.0 - s) * r * s**r for r in powers]
    return state, weighted(m, bends, rows, m.arithmetic("sub", result, start))


def tableau(name: str) -> Tableau:
    """Return a method by name.

    Raises
    ------
    ParameterError
        If there is no such method.
    """
    from haptos.errors import ParameterError

    known = {t.name: t for t in (RODAS4, RODAS5P)}
    if name not in known:
        raise ParameterError(f"there is no method {name!r}; choose {' or '.join(known)}")
    return known[name]
