"""The controlled vocabulary and the catalogue made from it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from haptos.conditions.catalogue import catalogue_of, library_folder, load_catalogue, read_vocabulary
from haptos.conditions.interventions import AnyIntervention
from haptos.core.located import parse_yaml
from haptos.core.specs import Spec, read_spec
from haptos.errors import SpecError

SMALL = Path(__file__).parents[1] / "evidence" / "small_library"


class Arms(Spec):
    arms: tuple[AnyIntervention, ...]


def test_names_by_kind_come_from_roles_and_files() -> None:
    names = catalogue_of(read_vocabulary(SMALL), SMALL).names
    assert names["target"] == ("ILK", "RELA", "MMP9", "MMPs")
    assert names["coating"] == ("FN1", "plastic")
    assert names["site"] == ()
    assert names["cells"][0] == "lung_carcinoma"
    assert names["measure"] == ("level", "migrated", "metastases", "entries")
    assert names["source"] == ("zhao2013", "review2002")
    assert names["quantity"] == ("tay-copies", "peak-time", "sign")


def test_a_missing_file_leaves_its_kinds_unchecked(tmp_path: Path) -> None:
    shutil.copytree(SMALL / "vocabulary", tmp_path / "vocabulary")
    (tmp_path / "vocabulary" / "cells.yaml").unlink()
    names = catalogue_of(read_vocabulary(tmp_path), tmp_path).names
    assert "cells" not in names
    assert "source" not in names
    assert "target" in names


def test_a_wrong_name_gets_a_suggestion_and_the_command_that_lists_names() -> None:
    catalogue = catalogue_of(read_vocabulary(SMALL), SMALL)
    document = parse_yaml("arms:\n- knockdown: RELB\n- treat: aspirin\n- add: CXCL12\n", name="mine.yaml")
    with pytest.raises(SpecError) as caught:
        read_spec(Arms, document, catalogue=catalogue)
    text = str(caught.value)
    assert "mine.yaml:2" in text
    assert "did you mean 'RELA'" in text
    assert "haptos evidence vocabulary compound" in text
    assert len(caught.value.issues) == 2


def test_problems_of_the_vocabulary_are_kept_with_their_lines(tmp_path: Path) -> None:
    folder = tmp_path / "vocabulary"
    folder.mkdir()
    (folder / "cells.yaml").write_text(
        "version: 1\ncells:\n- {id: a b, label: x, kind: cell_type, organism: h}\n- {id: c}\n"
    )
    vocabulary = read_vocabulary(tmp_path)
    assert [issue.where.split(" ")[0] for issue in vocabulary.issues] == ["library/vocabulary/cells.yaml:3"] + [
        "library/vocabulary/cells.yaml:4"
    ] * 3


@pytest.mark.skipif(not (library_folder() / "vocabulary" / "entities.yaml").is_file(), reason="no vocabulary yet")
def test_the_shipped_catalogue_holds_every_kind() -> None:
    names = load_catalogue().names
    for kind in ("target", "compound", "ligand", "coating", "cells", "entity", "predicate", "assay", "measure"):
        assert len(names[kind]) > 3, kind
    assert "plastic" in names["coating"], "the default coating of a culture"
    assert len(names["quantity"]) == 169
