"""The shipped workbooks over their recorded logs, and what tests ask a page about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from toolkit.content.project import Project
from toolkit.content.workbooks import read_workbook
from toolkit.engine.ingest import discover
from toolkit.testing.bench import Bench
from toolkit.workbooks.preview.session import Preview

ROOT = Path(__file__).resolve().parents[2]
BOOKS = {"aks-security": "aks", "aws-root-and-iam": "aws", "detection-health": "health"}
NOW = datetime(2026, 3, 3, tzinfo=UTC)


@contextmanager
def open_book(name: str) -> Iterator[Preview]:
    """A workbook with the logs of its system, opened after the day that they record."""
    project = Project.find(ROOT, ROOT)
    bench = Bench(project, list(project.items("function")), list(project.items("watchlist")), None)
    for table, paths in discover(ROOT / "detections" / BOOKS[name] / "samples").items():
        bench.base.ingest(table, paths)
    files, _ = read_workbook(ROOT / "workbooks" / f"{name}.json", f"workbooks/{name}.json")
    try:
        yield Preview(files, bench.base, NOW)
    finally:
        bench.close()


def wait(page: Any, act: Any) -> None:
    """Does something, and waits until the page was drawn again."""
    before = page.evaluate("document.body.dataset.painted")
    act()
    page.wait_for_selector(f"body[data-painted]:not([data-painted='{before}'])")  # the page's policy lets no test script poll


CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (text) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    const found = canvas.getImageData(0, 0, 1, 1).data;
    return [found[0], found[1], found[2], found[3] / 255];
  };
  const over = (top, below) => [0, 1, 2].map((index) => top[index] * top[3] + below[index] * (1 - top[3])).concat(1);
  const light = (color) => {
    const part = color.slice(0, 3).map((value) => value / 255).map(
      (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
  };
  const bad = [];
  for (const node of document.querySelectorAll('main *, header *')) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !node.getClientRects().length || node.closest('svg')) continue;
    const style = getComputedStyle(node), grounds = [];
    for (let up = node; up; up = up.parentElement) grounds.push(rgba(getComputedStyle(up).backgroundColor));
    const ground = grounds.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
    const ink = over(rgba(style.color), ground), [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) bad.push(`${ratio.toFixed(2)} ${node.tagName} ${node.className} ${node.textContent.slice(0, 30)}`);
  }
  return bad;
}"""
"""The texts of a page that have less than 4.5:1 on their ground; those of pictures are not among them."""
