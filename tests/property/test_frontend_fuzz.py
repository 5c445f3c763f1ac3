"""Whatever is read: a clear error or a right answer, never a crash, a hang or foreign code.

A crash of libSBML would end this very process, so these tests also show that the screen
in front of it holds. Antimony of strangers runs in a child, as it does for users.
"""

from __future__ import annotations

import contextlib
import math
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haptos.errors import HaptosError, ModelError
from haptos.signalling.network import compile_network
from haptos.signalling.sbml import antimony_to_sbml, read_sbml, sbml_of_file

BODY = """
function mm(v, s, km)
  v*s/(km + s)
end
model m
  compartment c = 2;
  species A in c, B in c, $C in c; substanceOnly species D in c;
  A = 10; B = 1; C = 3; D := A*c; k = 0.1; on = 3; half = A/2; r = 1;
  r' = -0.1*r;
  J1: A -> B; mm(k, A, 2)*c; J2: 2 B -> A; 0.3*B^2*c*piecewise(1, time > on, 0.5);
  E1: at time > 5, t0=false: k = 0.2, A = A + 1;
  E2: at B > 4 && r < 0.9: B = B/2;
end
"""
SBML = antimony_to_sbml(BODY)
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model id="m">'
)
TAIL = "</model></sbml>"
MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML">'
SEEDS = 400


def survives(text: str) -> bool:
    """Read and simulate; False if it was refused with a message. Anything else raises."""
    refusal, result = "", None
    try:
        result = compile_network(text).simulate([0.0, 1.0], max_steps=2_000)
    except HaptosError as fault:
        refusal = str(fault).strip()
    if result is None:
        assert refusal
        return False
    assert result.values.shape[:2] == (1, 2)
    assert not result.ok[0] or result.values.size == 0 or not np.all(np.isnan(result.values))
    return True


def _rule(inner: str, value: str = "") -> str:
    return (
        f'{HEAD}<listOfParameters><parameter id="k" constant="false"{value}/></listOfParameters><listOfRules>'
        f'<assignmentRule variable="k">{MATH}{inner}</math></assignmentRule></listOfRules>{TAIL}'
    )


def test_the_seed_of_the_mutations_is_itself_right() -> None:
    assert survives(SBML)


quick = settings(max_examples=SEEDS, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_PIECES = sorted(set(re.findall(r"<[^>]+>|[^<>\s]+|\"[^\"]*\"", SBML)))
_STRANGE = [
    "NaN", "INF", "-INF", "1e308", "1e-308", "-0", "9" * 400, "1e99999", "", " ", "lambda", "import", "class", "None",
    "__import__", "time", "µ", "Ωmega", "\U0001f9ec", "a" * 5000, "<", ">", "&", "&amp;", "&x;", "]]>", "<!--", "-->",
    "<?php ?>", "<![CDATA[", "\x00", "\x0b", "\ufeff", "<apply/>", "<cn/>", "<ci/>", "<lambda/>", "<math/>",
    '<cn type="rational">1<sep/>0</cn>', '<cn type="e-notation">1<sep/>9999999</cn>', '<cn type="integer">1e9</cn>',
]  # fmt: skip


@st.composite
def mutants(draw: st.DrawFn) -> str:
    """Cut, double, swap and replace pieces of a good model."""
    parts = re.split(r"(<[^>]+>)", SBML)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(parts) - 1))
        other = draw(st.integers(0, len(parts) - 1))
        how = draw(st.integers(0, 5))
        if how == 0:
            parts[at] = ""
        elif how == 1:
            parts[at] = parts[at] * draw(st.integers(2, 4))
        elif how == 2:
            parts[at], parts[other] = parts[other], parts[at]
        elif how == 3:
            parts[at] = draw(st.sampled_from(_STRANGE))
        elif how == 4:
            parts[at] = re.sub(r'"[^"]*"', lambda _: '"' + draw(st.sampled_from(_STRANGE)) + '"', parts[at], count=1)
        else:
            parts[at] = draw(st.sampled_from(_PIECES))
    return "".join(parts)


@quick
@given(mutants())
def test_mutated_models_are_refused_or_run(text: str) -> None:
    survives(text)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(max_examples=20 * SEEDS, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutants())
def test_many_mutated_models(text: str) -> None:
    survives(text)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(SBML)))
def test_truncated_models_are_refused(length: int) -> None:
    if SBML[length:].strip():
        assert not survives(SBML[:length])


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_arbitrary_text_is_refused(text: str) -> None:
    with pytest.raises(ModelError):
        read_sbml(text)


@pytest.mark.parametrize("depth", [200, 10_000, 100_000])
@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("<apply><plus/><cn>1</cn>", "</apply>"),
        ("<apply><not/>", "</apply>"),
        ("<piecewise><otherwise>", "</otherwise></piecewise>"),
        ("<semantics>", "</semantics>"),
    ],
)
def test_deep_formulas(depth: int, opening: str, closing: str) -> None:
    """Up to the stated depth they work; beyond it they are refused before libSBML sees them."""
    text = _rule(opening * depth + "<cn>1</cn>" + closing * depth)
    if depth > 300:
        with pytest.raises(ModelError, match="more than 300 elements"):
            read_sbml(text)
    else:
        with contextlib.suppress(ModelError):
            read_sbml(text)


@pytest.mark.parametrize("element", ["notes", "annotation", "zzz"])
def test_deep_notes_and_annotations(element: str) -> None:
    inner = '<p xmlns="http://www.w3.org/1999/xhtml">' * 50_000 + "</p>" * 50_000
    with pytest.raises(ModelError, match="more than 300 elements"):
        read_sbml(f"{HEAD}<{element}>{inner}</{element}>{TAIL}")


def test_wide_formulas_are_right() -> None:
    """Ten thousand summands are many, not deep."""
    network = compile_network(_rule("<apply><plus/>" + "<cn>0.5</cn>" * 10_000 + "</apply>"))
    assert network.simulate([0.0])["k"].tolist() == [[5000.0]]


def test_entity_bombs_and_files_are_refused() -> None:
    """No document type is read: nothing is expanded, nothing is fetched."""
    bomb = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "ha"}">' for i in range(12))
    for inside in (bomb, '<!ENTITY x SYSTEM "file:///etc/hostname">', '<!ENTITY % p SYSTEM "x.dtd"> %p;'):
        text = SBML.replace("<sbml", f"<!DOCTYPE sbml [{inside}]>\n<sbml", 1)
        with pytest.raises(ModelError, match="document type"):
            read_sbml(text)


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("<cn> 1e400 </cn>", math.inf),
        ('<cn type="e-notation"> 1 <sep/> -5000 </cn>', 0.0),
        ('<cn type="e-notation"> 2 <sep/> 3 </cn>', 2000.0),
        ('<cn type="rational"> 1 <sep/> 4 </cn>', 0.25),
        ("<notanumber/>", math.nan),
        ("<infinity/>", math.inf),
        ("<apply><power/><cn>10</cn><cn>5000</cn></apply>", math.inf),
        ("<apply><factorial/><cn>171</cn></apply>", None),
        ("<apply><factorial/><cn>1e9</cn></apply>", None),
    ],
)
def test_huge_and_missing_numbers(number: str, value: float | None) -> None:
    """Right as far as numbers go, or refused."""
    try:
        got = float(compile_network(_rule(number)).simulate([0.0])["k"][0, 0])
    except ModelError:
        assert value is None or not math.isfinite(value)
        return
    assert value is not None
    assert got == value or (math.isnan(value) and math.isnan(got))


def test_not_a_number_at_the_start_is_a_status() -> None:
    """A member that starts as nan fails alone; the others do not notice."""
    network = compile_network(antimony_to_sbml("model m; A -> ; k*A; A = 1; k = 1; end"))
    result = network.simulate([0.0, 1.0], parameters={"k": [1.0, math.nan, math.inf, 1.0]})
    assert result.ok.tolist() == [True, False, False, True]
    assert result["A"][0].tobytes() == result["A"][3].tobytes()


@pytest.mark.parametrize(
    "name", ["lambda", "import", "None", "class", "self", "numpy", "exec", "__import__", "e", "pi"]
)
def test_names_are_names(name: str) -> None:
    """No name has a meaning in Python: nothing of a file reaches an interpreter."""
    text = (
        f'{HEAD}<listOfParameters><parameter id="{name}" value="2" constant="true"/>'
        f'<parameter id="out" constant="false"/></listOfParameters><listOfRules><assignmentRule variable="out">{MATH}'
        f"<apply><times/><ci> {name} </ci><cn> 3 </cn></apply></math></assignmentRule></listOfRules>{TAIL}"
    )
    network = compile_network(text)
    assert network.simulate([0.0], parameters={name: 5.0})["out"].tolist() == [[15.0]]


@pytest.mark.parametrize("name", ["µ", "A B", "1A", "", "A;B", "os.system('true')", "\U0001f9ec", "a" * 100_000])
def test_names_that_sbml_forbids(name: str) -> None:
    text = f'{HEAD}<listOfParameters><parameter id="{name}" value="2" constant="true"/></listOfParameters>{TAIL}'
    if name == "a" * 100_000:
        assert len(compile_network(text).parameters[0]) == 100_000
    else:
        with pytest.raises(ModelError):
            read_sbml(text)


def test_functions_that_call_themselves_or_each_other_without_end() -> None:
    def call(name: str) -> str:
        return f"<apply><ci> {name} </ci><ci> x </ci></apply>"

    def function(name: str, body: str) -> str:
        return (
            f'<functionDefinition id="{name}">{MATH}<lambda><bvar><ci>x</ci></bvar>{body}</lambda></math>'
            "</functionDefinition>"
        )

    for functions in (function("f", call("f")), function("f", call("g")) + function("g", call("f"))):
        text = _rule("<apply><ci> f </ci><cn> 1 </cn></apply>")
        text = text.replace(
            "<listOfParameters>",
            f"<listOfFunctionDefinitions>{functions}</listOfFunctionDefinitions><listOfParameters>",
        )
        with pytest.raises(ModelError):
            read_sbml(text)


def _tower(first: str, second: str) -> str:
    """Return forty functions, each calling the one below twice."""
    functions = []
    for i in range(40):
        calls = [f"<apply><ci> f{i - 1} </ci>{x}</apply>" if i else x for x in (first, second)]
        functions.append(
            f'<functionDefinition id="f{i}">{MATH}<lambda><bvar><ci>x</ci></bvar>'
            f"<apply><plus/>{''.join(calls)}</apply></lambda></math></functionDefinition>"
        )
    listed = f"<listOfFunctionDefinitions>{''.join(functions)}</listOfFunctionDefinitions><listOfParameters>"
    return _rule("<apply><ci> f39 </ci><cn> 1 </cn></apply>").replace("<listOfParameters>", listed)


def test_functions_that_double_forty_times() -> None:
    """2^40 terms if written out; one call per level as equal calls are one."""
    assert compile_network(_tower("<ci> x </ci>", "<ci> x </ci>")).simulate([0.0])["k"][0, 0] == 2.0**40


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_functions_that_really_double_forty_times() -> None:
    """Every call is another one: the stated limit."""
    twice = "<apply><times/><cn>2</cn><ci> x </ci></apply>"
    with pytest.raises(ModelError, match="function calls written out"):
        read_sbml(_tower(twice, f"<apply><plus/>{twice}<cn>1</cn></apply>"))


def test_encodings_and_marks(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """The declared encoding is believed; a byte order mark is dropped."""
    plain = SBML.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"').replace("<model", '<model name="Stra\u00dfe"', 1)
    for number, data in enumerate(
        [plain.encode("latin-1"), ("\ufeff" + SBML).encode(), SBML.replace("UTF-8", "UTF-16").encode("utf-16")]
    ):
        path = tmp_path / f"{number}.xml"
        path.write_bytes(data)
        assert [s.id for s in read_sbml(sbml_of_file(path)).species] == ["A", "B", "C", "D"]
    (tmp_path / "bad.xml").write_bytes(b"<sbml>\xff\xfe</sbml>")
    with pytest.raises(ModelError, match="encoding"):
        sbml_of_file(tmp_path / "bad.xml")
    (tmp_path / "none.xml").write_bytes(b"<?xml version='1.0' encoding='klingon'?><sbml/>")
    with pytest.raises(ModelError, match="klingon"):
        sbml_of_file(tmp_path / "none.xml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('import "other.ant"\nmodel m; end', "import of another file"),
        ("model m; x = " + "(" * 1000 + "1" + ")" * 1000 + "; end", "brackets"),
        ("model m; x := y" + "+y" * 50_000 + "; end", "a formula of"),
        ("model m; x = 1\0; end", "zero byte"),
        ("x" * 6_000_000, "characters"),
        ("model m; A -> ; k*; end", "line 1"),
    ],
)
def test_antimony_of_strangers(text: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_sbml(antimony_to_sbml(text, limit=20.0))


def test_antimony_that_takes_too_long_is_stopped() -> None:
    """A chain of modules doubles the work at every link."""
    chain = "".join(f"model m{i}; {f'A: m{i - 1}();' if i else 'x = 1;'} end\n" for i in range(200))
    with pytest.raises(ModelError, match=r"within 2 s"):
        antimony_to_sbml(chain, limit=2.0)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_hundred_thousand_species() -> None:
    """Slow, but right; about 20 s for a hundred thousand species."""
    flags = 'hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"'
    species = "".join(
        f'<species id="s{i}" compartment="c" initialConcentration="{i}" {flags}/>' for i in range(100_000)
    )
    text = (
        f'{HEAD}<listOfCompartments><compartment id="c" size="1" spatialDimensions="3" constant="true"/>'
        f"</listOfCompartments><listOfSpecies>{species}</listOfSpecies>{TAIL}"
    )
    assert len(read_sbml(text).species) == 100_000
