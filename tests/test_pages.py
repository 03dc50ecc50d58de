"""Notebooks as pages in a browser: nothing runs over the edge, no picture is missing, each has a text in its place."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder import bundles, contract, notebooks, running

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.skipif(
        CHROMIUM is None, reason="there is no Chromium here to draw pages with: apt-get install chromium"
    ),
]

# What a page tells of itself once it is drawn, written into it where --dump-dom finds it.
MEASURE = """<script>addEventListener("load", () => {
  const pictures = [...document.querySelectorAll(".output img, .jp-OutputArea img")];
  const wide = [...document.querySelectorAll("body *")].filter(
    (part) => part.getBoundingClientRect().right > innerWidth + 1 && !part.closest("pre, .highlight"));
  const report = {
    pictures: pictures.length,
    missing: pictures.filter((picture) => !picture.naturalWidth).length,
    mute: pictures.filter((picture) => picture.alt.length < 60).length,
    sideways: Math.max(0, document.documentElement.scrollWidth - innerWidth),
    wide: wide.slice(0, 5).map((part) => part.tagName + " " + part.textContent.slice(0, 60)),
  };
  document.body.insertAdjacentHTML("beforeend", "<pre id=report></pre>");
  document.getElementById("report").textContent = JSON.stringify(report);
});</script>"""


def measured(page: str, folder: Path, width: int) -> dict[str, Any]:
    """What a page of HTML tells of itself in a window of that width."""
    path = folder / "page.html"
    path.write_text(page.replace("</body>", f"{MEASURE}</body>"), encoding="utf-8")
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},2000",
            f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=10000", "--dump-dom", path.as_uri(),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )  # fmt: skip
    found = re.search(r'<pre id="report">(.*?)</pre>', done.stdout)
    assert found, done.stderr[-1000:]
    return json.loads(html.unescape(found[1]))


def test_what_is_wrong_is_found(tmp_path):
    """A table beyond the edge, a picture that is not there, and one without a text."""
    dot = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
    pictures = f"<img src='{dot}' alt='{'words ' * 20}'><img src='{dot}'><img src='gone.png' alt='{'words ' * 20}'>"
    page = f"<html><body><div class='output'>{pictures}</div><div style='width: 3000px'>wide</div></body></html>"
    report = measured(page, tmp_path, 1000)
    assert (report["pictures"], report["missing"], report["mute"]) == (3, 1, 1)
    assert report["sideways"] > 0
    assert report["wide"] == ["DIV wide"]


@pytest.mark.slow
@pytest.mark.parametrize("assignment", contract.assignments(), ids=lambda assignment: assignment.name)
def test_a_notebook_with_its_pictures(assignment, tmp_path):
    """In a narrow window and in a wide one."""
    from nbconvert import HTMLExporter

    if bundles.has_solution(assignment):
        node: Any = nbformat.read(bundles.solution_path(assignment), as_version=4)
    else:
        node = running.executed(notebooks.solution(assignment))
    drawn = [cell for cell in node.cells if "alt" in cell.metadata and cell.id != "demo-fashion"]
    exporter = HTMLExporter(template_name="classic", mathjax_url="", require_js_url="", jquery_url="")
    page, _ = exporter.from_notebook_node(node)
    page = re.sub(r'<script[^>]*src="[^"]*"[^>]*></script>', "", page)  # no network here, and none needed to measure
    for width in (1000, 1400):
        report = measured(page, tmp_path, width)
        assert report.pop("pictures") >= len(drawn) >= 2
        assert report == {"missing": 0, "mute": 0, "sideways": 0, "wide": []}
