"""`python scripts/screenshots.py` draws the shipped workbooks in Chromium and writes docs/images/workbook-*.png, light and dark.

Look at the pictures before committing them. PNGs of a browser differ from machine to machine (fonts), so nothing compares them.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.workbooks.conftest import FLAGS
from tests.workbooks.shown import BOOKS, open_book
from toolkit.workbooks.preview.listening import PreviewServer

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
LARGEST = 300_000
_SIZE = {"width": 1280, "height": 860}
# What is done before the picture is taken: a tab, a row.
_STEPS = {
    "aks-security": ("Who did it", "mallory@contoso.com"),
    "aws-root-and-iam": ("Root", None),
    "detection-health": ("Health", None),
}


def main() -> int:
    """Write six pictures; 1 when one is too large for a README."""
    from playwright.sync_api import sync_playwright

    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        print("There is no Chromium on this machine: apt-get install chromium")
        return 3
    IMAGES.mkdir(parents=True, exist_ok=True)
    largest = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        for book in BOOKS:
            with open_book(book) as preview, PreviewServer(preview) as server:
                for scheme in ("light", "dark"):
                    path = IMAGES / f"workbook-{book}-{scheme}.png"
                    _take(browser, server.url, book, scheme, path)
                    largest = max(largest, path.stat().st_size)
                    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")
        browser.close()
    return 1 if largest > LARGEST else 0


def _take(browser: Any, url: str, book: str, scheme: str, path: Path) -> None:
    page = browser.new_page(viewport=_SIZE, color_scheme=scheme)
    page.goto(url)
    page.wait_for_selector(".tile")
    tab, row = _STEPS[book]
    page.get_by_role("tab", name=tab).click()
    page.wait_for_load_state("networkidle")
    if row:
        page.locator("tr.click", has_text=row).first.click()
        page.get_by_role("heading", name=row).wait_for()
    page.evaluate("() => { document.activeElement.blur(); window.scrollTo(0, 0); }")
    page.wait_for_timeout(300)
    page.screenshot(path=str(path), full_page=False)
    page.close()


if __name__ == "__main__":
    sys.exit(main())
