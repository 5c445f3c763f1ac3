"""Readouts of classes: their own quantity, or the sum over the members that the model holds."""

from __future__ import annotations

import numpy as np

from haptos.signalling.readouts import gathered, outputs_for, parts_of

OFFERED = {
    "mrna__IL6",
    "mrna__CXCL8",
    "level__RELA",
    "level__MAPK1",
    "level__MAPK3",
    "level__ERK",
    "affinity__ITGAV_ITGB3",
}


def test_a_quantity_of_its_own_goes_before_the_sum():
    assert parts_of("level__ERK", OFFERED) == ("level__ERK",)
    assert parts_of("level__ERK", OFFERED - {"level__ERK"}) == ("level__MAPK1", "level__MAPK3")


def test_only_members_that_are_there_are_summed():
    assert parts_of("mrna__cytokines", OFFERED) == ("mrna__IL6", "mrna__CXCL8")
    assert parts_of("mrna__cytokines", {"mrna__IL6"}) == ("mrna__IL6",)
    assert parts_of("level__cytokines", OFFERED) == ()
    assert parts_of("level__NOBODY", OFFERED) == ()


def test_complexes_are_no_classes_and_affinities_do_not_add():
    assert parts_of("level__RELA_NFKB1", OFFERED) == ()
    assert parts_of("affinity__integrins", OFFERED) == ()


def test_a_phosphorylated_protein_is_read_by_the_phosphorylation_of_the_protein():
    offered = {"phosphorylation__MYL9", "level__MYL9", "phosphorylation__PTK2"}
    assert parts_of("phosphorylation__MYL9_p", offered) == ("phosphorylation__MYL9",)
    assert parts_of("level__MYL9_p", offered) == ("phosphorylation__MYL9",)
    assert parts_of("phosphorylation__PTK2_pY", offered) == ("phosphorylation__PTK2",)
    assert parts_of("phosphorylation__PTK2_pY861", offered) == ()


def test_sums_are_put_together_in_the_order_asked_for():
    wanted = ("level__RELA", "mrna__cytokines", "mrna__IL6")
    outputs = outputs_for(wanted, OFFERED)
    assert outputs == ("level__RELA", "mrna__IL6", "mrna__CXCL8")
    values = np.arange(12.0).reshape(2, 2, 3)
    found = gathered(values, outputs, wanted, OFFERED)
    assert found.shape == (2, 2, 3)
    assert np.array_equal(found[..., 1], values[..., 1] + values[..., 2])
    assert np.array_equal(found[..., 0], values[..., 0])
    assert np.array_equal(found[..., 2], values[..., 1])
    assert gathered(values[..., :0], (), (), OFFERED).shape == (2, 2, 0)
