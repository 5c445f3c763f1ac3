"""The report: complete, self-contained, and closed to injection."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from haptos.figures import (
    Assumption,
    BoardRow,
    FileNote,
    LiteratureVerdict,
    ReportData,
    ReportFigure,
    Table,
    report_html,
)

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>' & \x00\u202e {{x}} </style>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="72pt"></svg>'


def hostile_report() -> ReportData:
    """Return a report with hostile text in every place that takes text."""
    h = HOSTILE
    return ReportData(
        title=h, subtitle=h, question=(h,), findings=(h,), warnings=(h,), figures=(ReportFigure(h, SVG, h, h),),
        arms=Table(h, (h, "n"), ((h, 3),)), comparisons=(h,), comparison_table=Table(h, (h,), ((h,),)),
        verdicts=(LiteratureVerdict(h, h, h, h, h, "javascript:alert(1)", h, 0.5),), literature_note=h,
        board=(BoardRow(h, h, h, h, 1.0, 0.5, 2.0, 0.9, 1.3, h, h),), methods=((h, h),), command=h,
        assumptions=(Assumption(h, h, h),),
        files=tuple(FileNote(path, h) for path in ("javascript:alert(1)", "../x", "a b.csv")),
    )  # fmt: skip


class Reader(HTMLParser):
    """Collects elements, checks nesting."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page() -> Reader:
    return Reader(report_html(hostile_report()))


def test_elements_are_nested_and_closed(page: Reader) -> None:
    assert page.open == []


def test_hostile_text_stays_text(page: Reader) -> None:
    assert len(page.named("script")) == 1
    assert len(page.named("img")) == 1
    assert not [a for _, a in page.elements if any(name.startswith("on") for name in a)]
    assert "alert(1)" in "".join(page.text)


def test_only_safe_addresses_are_linked(page: Reader) -> None:
    links = [str(a["href"]) for a in page.named("a")]
    assert "a%20b.csv" in links
    assert all(link.startswith(("#", "a%20b")) for link in links)


def test_nothing_is_fetched(page: Reader) -> None:
    (policy,) = [a["content"] for a in page.named("meta") if a.get("http-equiv")]
    assert str(policy).startswith("default-src 'none'")
    assert all(str(a["src"]).startswith("data:image/svg+xml;base64,") for a in page.named("img"))
    assert not page.named("link")


def test_it_can_be_read_aloud(page: Reader) -> None:
    assert page.named("html")[0]["lang"] == "en"
    assert all(a.get("alt") for a in page.named("img"))
    assert all(a.get("scope") in {"col", "row"} for a in page.named("th"))
    assert [tag for tag, _ in page.elements].count("h1") == 1
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["href"] for a in page.named("a") if str(a["href"]).startswith("#")} <= {f"#{i}" for i in ids}


def test_empty_sections_are_left_out() -> None:
    text = report_html(ReportData(title="x", command="haptos run x.yaml"))
    assert "Methods" in text
    assert "Against the literature" not in text
    assert not re.search(r"<table", text)


def test_a_doi_becomes_a_link_and_a_verdict_a_word() -> None:
    verdict = LiteratureVerdict("a", "b", "supported", "X-01", "Zhao 2013", "10.1000/xyz", fraction=0.97)
    text = report_html(ReportData(title="x", verdicts=(verdict,)))
    assert 'href="https://doi.org/10.1000/xyz"' in text
    assert "✓ supported" in text
    assert "97 %" in text


def test_the_same_data_give_the_same_page() -> None:
    assert report_html(hostile_report()) == report_html(hostile_report())


def test_missing_numbers_are_dashes_and_equal_lengths_are_required() -> None:
    text = report_html(ReportData(title="x", arms=Table("c", ("arm", "sd"), (("a", float("nan")), ("b", None)))))
    assert text.count(">–</td>") == 2
    with pytest.raises(ValueError, match="zip"):
        report_html(ReportData(title="x", arms=Table("c", ("arm", "sd"), (("a",),))))
