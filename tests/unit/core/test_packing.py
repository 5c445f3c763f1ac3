"""Frozen data as bytes: everything comes back, nothing foreign is built."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haptos.core.packing import pack, unpack
from haptos.errors import ParameterError, Status
from haptos.numerics.expression import Graph, GraphBuilder, Node
from haptos.numerics.tape import build_tape

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.frozensets(st.text())
    ),
    max_leaves=25,
)


@given(value=PLAIN)
def test_plain_values_come_back(value: Any) -> None:
    back = unpack(pack(value))
    assert back == value
    assert repr(back) == repr(value) or isinstance(value, (dict, frozenset, list, tuple))
    assert pack(back) == pack(value)


def test_records_arrays_and_shared_parts_come_back() -> None:
    builder = GraphBuilder()
    x = builder.variable(0)
    graph = Graph((*builder.freeze().nodes, Node(builder.freeze().nodes[0].op, (), -0.0)))
    square = builder.mul(x, x)
    tape = build_tape(builder.freeze(), [square], 1)
    array = np.array([[1.0, np.nan], [-0.0, np.inf]])
    value = {"graph": graph, "same": (graph, graph), "tape": tape, "array": array, "again": [array, np.float64(0.1)],
             "status": Status.MAX_STEPS, "view": MappingProxyType({"k": 1})}  # fmt: skip
    back = unpack(pack(value))
    assert back["graph"] == graph
    assert back["same"][0] is back["same"][1] is back["graph"]
    assert back["array"].tobytes() == array.tobytes()
    assert back["again"][0] is back["array"]
    assert back["again"][1] == 0.1
    assert back["status"] is Status.MAX_STEPS
    assert type(back["view"]) is MappingProxyType
    assert back["tape"].body.dtype == tape.body.dtype
    assert pack(back) == pack(value)


@pytest.mark.parametrize("value", [object(), {"f": print}, np.array(["text"]), 1j, {1, 2}, b"bytes"])
def test_what_is_not_data_is_refused(value: Any) -> None:
    with pytest.raises(ParameterError, match="cannot be packed"):
        pack(value)


def _forged(name: str) -> bytes:
    tree = json.dumps([["d", 0, "echo"], [name]]).encode()
    return len(tree).to_bytes(8, "little") + tree


@pytest.mark.parametrize(
    "data",
    [b"", b"\x05", pack((1, 2))[:-3], _forged("os:system"), _forged("haptos.core.packing:pack"),
     _forged("haptos.core.packing:np.memmap"), _forged("haptos.nowhere:Thing"), pack(np.ones(3))[:-4]],
)  # fmt: skip
def test_foreign_or_damaged_bytes_build_nothing(data: bytes) -> None:
    with pytest.raises(ParameterError, match="cannot be read"):
        unpack(data)
