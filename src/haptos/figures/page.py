"""The frame of a report: its look, the few lines of script, and the rule that nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from haptos.figures.markup import Markup, join, tag

__all__ = ["page"]

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f23; --soft: #5a646e; --line: #dde2e7; --paper: #fff; --card: #f6f8fa;
  --link: #0b5cad; --warn: #fff6e0; --warn-line: #d9a200; --good: #0b7a53; --bad: #b3261e; --open: #8a5a00;
  --vacuous: #7b4fa3; --none: #626a72; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaed; --soft: #a4adb6; --line: #384049; --paper: #15191d;
  --card: #1f252b; --link: #7db7f5; --warn: #362c10; --warn-line: #b98d12; --good: #5fd3a5; --bad: #ff8f85;
  --open: #f0bd55; --vacuous: #c9a6ec; --none: #a4adb6; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.55;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
main, header, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 2.2rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .7rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p, ul, ol, dl { margin: .5rem 0; max-width: 46rem; overflow-wrap: anywhere; }
.soft { color: var(--soft); } .small { font-size: .875rem; }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; padding: 0; max-width: none;
  font-size: .9rem; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; }
.lead { background: var(--card); border-left: 4px solid var(--link); padding: .7rem 1.1rem; margin: 1.2rem 0;
  border-radius: 0 6px 6px 0; }
.lead p { max-width: none; }
.warn { background: var(--warn); border-left-color: var(--warn-line); }
figure { margin: 1rem 0 1.6rem; }
figure .sheet { background: #fff; border: 1px solid var(--line); border-radius: 6px; padding: .8rem; overflow-x: auto; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
figcaption { color: var(--soft); font-size: .875rem; margin-top: .5rem; max-width: 46rem; }
.wide { overflow-x: auto; margin: .8rem 0 1.2rem; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; line-height: 1.4; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem .4rem 0; border-bottom: 1px solid var(--line); }
thead th { border-bottom: 2px solid var(--line); white-space: nowrap; vertical-align: bottom; }
tbody th { font-weight: 600; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
th button::after { content: " \\2195"; color: var(--soft); font-weight: 400; }
th[aria-sort=ascending] button::after { content: " \\2191"; color: var(--ink); }
th[aria-sort=descending] button::after { content: " \\2193"; color: var(--ink); }
.keep { white-space: nowrap; } .statement { min-width: 16rem; }
.verdict { font-weight: 650; white-space: nowrap; }
.supported { color: var(--good); } .contradicted { color: var(--bad); } .undecided { color: var(--open); }
.vacuous { color: var(--vacuous); } .not-expressible, .untestable { color: var(--none); }
.bar { display: inline-block; width: 4.5rem; height: .5rem; margin-right: .5rem; border-radius: 3px; overflow: hidden;
  background: var(--line); vertical-align: .05rem; }
.bar i { display: block; height: 100%; background: currentColor; }
body:has(.filter) :is(main, header, footer) { max-width: 80rem; }
.filter { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .8rem 0; font-size: .875rem; }
.filter input, .filter select { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line);
  border-radius: 4px; padding: .25rem .5rem; }
.filter input { flex: 1 1 16rem; } .filter span { color: var(--soft); }
.counts { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; list-style: none; padding: 0; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .7rem 1rem;
  white-space: pre-wrap; overflow-wrap: anywhere; font-size: .875rem; }
dt { font-weight: 600; margin-top: .7rem; } dd { margin: .1rem 0 0; }
code, pre { font-family: ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace; }
footer { color: var(--soft); font-size: .8125rem; padding-top: 2rem; padding-bottom: 2.5rem; }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --card: #f6f6f6;
  --link: #000; --warn: #fff6e0; --good: #0b7a53; --bad: #b3261e; --open: #8a5a00; --vacuous: #7b4fa3; --none: #555; }
  @page { margin: 16mm; } body { font-size: 10pt; } nav, .skip, .filter { display: none; }
  main, header, footer { padding: 0; }
  h2, h3 { break-after: avoid; } figure, tr, .lead { break-inside: avoid; } thead { display: table-header-group; }
  .wide, figure .sheet { overflow: visible; } th button::after { content: ""; }
  .bar, .bar i { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""

_SCRIPT: Final = """
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = row => row.cells[column].dataset.key ?? row.cells[column].textContent;
      const order = new Intl.Collator("en", {numeric: true});
      const numeric = text => text.trim() !== "" && Number.isFinite(Number(text));
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [key(a), key(b)];
        const both = numeric(x) && numeric(y);
        if ((x === "") !== (y === "")) return x === "" ? 1 : -1;
        const way = both ? Number(x) - Number(y) : order.compare(x, y);
        return down ? -way : way;
      });
      body.append(...rows);
    });
  });
  const rows = [...body.rows];
  if (rows.length < 12) continue;
  const bar = document.createElement("div"), search = document.createElement("input");
  const shown = document.createElement("span"), chosen = {};
  bar.className = "filter";
  search.type = "search";
  search.placeholder = "Filter: words of the claim";
  search.setAttribute("aria-label", "Filter the table by words");
  const filter = () => {
    const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every(word => text.includes(word)) ||
        Object.entries(chosen).some(([key, value]) => value && (row.dataset[key] ?? "") !== value);
      count += !row.hidden;
    }
    shown.textContent = `${count} of ${rows.length}`;
  };
  bar.append(search);
  for (const key of ["system", "verdict", "basis"]) {
    const values = [...new Set(rows.map(row => row.dataset[key] ?? "").filter(Boolean))];
    if (values.length < 2) continue;
    const list = document.createElement("select");
    list.setAttribute("aria-label", `Only this ${key}`);
    list.append(new Option(`any ${key}`, ""), ...values.map(value => new Option(value, value)));
    list.addEventListener("change", () => { chosen[key] = list.value; filter(); });
    bar.append(list);
  }
  search.addEventListener("input", filter);
  bar.append(shown);
  table.parentElement.before(bar);
  filter();
}
"""


def page(title: str, *children: str) -> str:
    """Return a whole HTML document that loads nothing from anywhere.

    The content security policy lets only the script written here run, so no text of a user
    can become one.
    """
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    rules = ("default-src 'none'", "img-src data:", "style-src 'unsafe-inline'", f"script-src 'sha256-{digest}'")
    policy = "; ".join((*rules, "base-uri 'none'", "form-action 'none'"))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", Markup(_STYLE)),
    )
    skip = tag("a", "Skip to the result", class_="skip", href="#main")
    body = tag("body", skip, *children, tag("script", Markup(_SCRIPT)))
    return "<!doctype html>\n" + join(tag("html", head, body, lang="en")) + "\n"
