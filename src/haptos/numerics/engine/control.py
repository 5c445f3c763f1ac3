"""Step size control as lane programs: the same in the kernels and in the readable twin.

The controller is the predictive one of Gustafsson [HairerWanner1996]_ (IV.8): the next step follows
from the error of the step and from how the error changed since the step before.

References
----------
.. [HairerWanner1996] E. Hairer, G. Wanner, Solving Ordinary Differential Equations II,
   2nd ed., Springer (1996).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from haptos.numerics.engine.machine import Machine

__all__ = ["Attempt", "Judgement", "end_of_step", "inverse_root", "judge", "start_step"]

_MAGIC: Final = 6755399441055744.0
"""1.5 * 2^52, see :mod:`haptos.numerics.engine.elementary`."""
_MAGIC_BITS: Final = 0x4338000000000000
_SAFETY: Final = 0.9
_SHRINK, _GROW = 0.2, 6.0
_CALM: Final = {4: 0.01**-0.25, 5: 0.01**-0.2}
"""The inverse root of 0.01: errors below count as that when the next step is predicted."""


class Attempt(NamedTuple):
    """A step that was tried; every field is a value of the machine.

    Attributes
    ----------
    time, step, error : number
        Where it started, its size, its error in units of the tolerance.
    proposed : number
        The step that was wanted before it was cut at the end of a stretch.
    memory : number
        `memory` of the judgement of the last accepted step; 0 if there is none.
    rejected : mask
        Whether the attempt before was rejected.
    forced : mask
        Whether the step is taken whatever its error, if that is finite.
    """

    time: Any
    step: Any
    error: Any
    proposed: Any
    memory: Any
    rejected: Any
    forced: Any


class Judgement(NamedTuple):
    """What follows from an attempt.

    Attributes
    ----------
    accepted : mask
        Whether the step is taken.
    lost : mask
        Whether nothing can follow: the next step would vanish in the rounding of time.
    proposed : number
        The next step.
    memory : number
        For the next judgement.
    """

    accepted: Any
    lost: Any
    proposed: Any
    memory: Any


def _smaller(m: Machine, a: Any, b: Any) -> Any:
    return m.select(m.compare("lt", a, b), a, b)


def _larger(m: Machine, a: Any, b: Any) -> Any:
    return m.select(m.compare("lt", a, b), b, a)


def inverse_root(m: Machine, x: Any, order: int) -> Any:
    """Return about ``x ** (-1 / order)``, within 1e-3; x is held in [1e-300, 1e300].

    The upper half of the bits of a number is, but for a constant, about its logarithm;
    divided by -order it gives a guess, which two steps of Newton's method improve.
    """
    x = _smaller(m, _larger(m, x, m.number(1e-300)), m.number(1e300))
    upper = m.integer("ashr", m.bits(x), m.whole(32))
    logarithm = m.arithmetic("sub", m.from_bits(m.integer("add", upper, m.whole(_MAGIC_BITS))), m.number(_MAGIC))
    one = (1023 - 0.045) * 2.0**20
    guess = m.fused(logarithm, m.number(-1.0 / order), m.number(one * (1.0 + 1.0 / order)))
    upper = m.integer("sub", m.bits(m.arithmetic("add", guess, m.number(_MAGIC))), m.whole(_MAGIC_BITS))
    root = m.from_bits(m.integer("shl", upper, m.whole(32)))
    for _ in range(2):
        power = m.arithmetic("mul", root, root)
        power = m.arithmetic("mul", power, power)
        power = m.arithmetic("mul", power, root) if order == 5 else power
        share = m.arithmetic("mul", m.arithmetic("mul", x, power), m.number(-1.0 / order))
        root = m.arithmetic("mul", root, m.arithmetic("add", share, m.number(1.0 + 1.0 / order)))
    return root


def end_of_step(m: Machine, now: Any, step: Any, stop: Any) -> Any:
    """Return where a step ends: the stop if it is all but reached."""
    reached = m.compare("le", stop, m.fused(step, m.number(1.0001), now))
    return m.select(reached, stop, m.arithmetic("add", now, step))


def judge(m: Machine, tried: Attempt, order: int) -> Judgement:
    """Accept or reject a step and choose the next one."""
    error, h = tried.error, tried.step
    finite = m.compare("lt", m.rounded("fabs", error), m.number(float("inf")))
    accepted = m.logic("or", m.compare("le", error, m.number(1.0)), m.logic("and", tried.forced, finite))
    root = inverse_root(m, error, order)
    first = m.compare("eq", tried.memory, m.number(0.0))
    change = m.arithmetic("mul", m.number(_SAFETY), root)
    larger = m.arithmetic("mul", h, _following(m, change, root, h, tried.memory))
    cut = m.select(m.compare("lt", h, tried.proposed), _larger(m, larger, tried.proposed), larger)
    larger = m.select(tried.rejected, _smaller(m, larger, h), cut)
    less = m.select(first, m.number(0.1), _larger(m, change, m.number(_SHRINK)))
    less = m.arithmetic("mul", h, m.select(finite, less, m.number(0.1)))
    lost = m.logic("or", tried.forced, _vanishes(m, tried.time, less))
    lost = m.select(accepted, m.number(0.0), m.select(lost, m.number(1.0), m.number(0.0)))
    memory = m.arithmetic("mul", h, _smaller(m, root, m.number(_CALM[order])))
    return Judgement(
        accepted=accepted,
        lost=m.compare("ne", lost, m.number(0.0)),
        proposed=m.select(accepted, larger, less),
        memory=m.select(accepted, memory, tried.memory),
    )


def _following(m: Machine, change: Any, root: Any, h: Any, memory: Any) -> Any:
    """Return by how much the step grows after an accepted one."""
    predicted = m.arithmetic("div", m.arithmetic("mul", m.arithmetic("mul", change, root), h), memory)
    known = m.compare("lt", m.number(0.0), memory)
    change = m.select(known, _smaller(m, predicted, change), change)
    return _smaller(m, _larger(m, change, m.number(_SHRINK)), m.number(_GROW))


def _vanishes(m: Machine, now: Any, step: Any) -> Any:
    """Whether a step is lost in the rounding of time."""
    least = m.arithmetic("mul", m.rounded("fabs", now), m.number(2.0**-48))
    return m.compare("le", step, _larger(m, least, m.number(1e-290)))


def start_step(m: Machine, slope: Any, bend: Any, length: Any, order: int) -> Any:
    """Return the first step of a stretch of some length.

    Parameters
    ----------
    m : Machine
        Where to evaluate.
    slope, bend : number
        Largest dy/dt and d²y/dt² in units of the tolerance [1/time, 1/time²].
    length : number
        Length of the stretch [time].
    order : int
        Order of the method.

    Notes
    -----
    With the time scale ``slope / bend`` the error of a step h is taken as
    ``(h / scale)^order * slope * scale``, which is to be 1.
    """
    zero = m.number(0.0)
    scale = m.arithmetic("div", slope, bend)
    change = m.arithmetic("mul", slope, scale)
    step = _smaller(m, m.arithmetic("mul", scale, inverse_root(m, change, order)), length)
    usable = m.logic("and", m.compare("lt", zero, change), m.compare("lt", change, m.number(float("inf"))))
    step = m.select(usable, step, m.arithmetic("mul", m.number(1e-6), length))
    still = m.rounded("sqrt", m.arithmetic("div", m.number(1.0), bend))
    step = m.select(m.compare("lt", zero, slope), step, _smaller(m, still, length))
    return m.select(m.compare("lt", zero, bend), step, length)
