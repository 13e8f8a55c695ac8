"""The preview in a real browser: parameters, tabs, clicks, keyboard, contrast; no error and no request to anywhere else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.workbooks.shown import BOOKS, CONTRAST, open_book, wait
from toolkit.workbooks.preview.listening import PreviewServer
from toolkit.workbooks.preview.page import page as html

_NUMBERS = "() => [...document.querySelectorAll('.tile .big')].map((tile) => tile.textContent)"


def test_other_parameters_give_other_numbers(page: Any) -> None:
    with open_book("aks-security") as preview, PreviewServer(preview) as server:
        page.goto(server.url)
        page.wait_for_selector(".tile")
        first = page.evaluate(_NUMBERS)
        wait(page, lambda: page.get_by_role("button", name="Everything, the platform too").click())
        everything = page.evaluate(_NUMBERS)
        assert int(everything[5]) > int(first[5])
        wait(page, lambda: page.get_by_label("Time").select_option(label="Last 4 hours"))
        assert page.evaluate(_NUMBERS) != everything
        page.get_by_label("Time", exact=True).select_option(label="Custom…")
        page.get_by_label("Time, from (UTC)").fill("2026-03-02T09:00")
        page.get_by_label("Time, to (UTC)").fill("2026-03-02T14:00")
        wait(page, lambda: page.get_by_role("button", name="Apply").click())
        assert page.get_by_label("Time", exact=True).locator("option:checked").inner_text() == "2026-03-02 09:00 to 2026-03-02 14:00"
        page.locator("[data-input='Identity'] summary").click()
        wait(page, lambda: page.get_by_label("mallory@contoso.com").check())
        assert page.evaluate(_NUMBERS)[5] == "1"


def test_a_click_opens_what_an_identity_did(page: Any) -> None:
    with open_book("aks-security") as preview, PreviewServer(preview) as server:
        page.goto(server.url)
        wait(page, lambda: page.get_by_role("tab", name="Who did it").click())
        assert not page.get_by_role("heading", name="Everything that").count()
        wait(page, lambda: page.locator("tr.click", has_text="mallory@contoso.com").click())
        assert page.get_by_role("heading", name="Everything that mallory@contoso.com did").is_visible()
        assert page.locator("tr[aria-selected='true']").inner_text().startswith("mallory@contoso.com")
        wait(page, lambda: page.locator("tr[aria-selected='true']").click())
        assert not page.get_by_role("heading", name="Everything that").count()


def test_the_keyboard_does_all_of_it(page: Any) -> None:
    with open_book("detection-health") as preview, PreviewServer(preview) as server:
        page.goto(server.url)
        page.locator("[role='tab'][aria-selected='true']").focus()
        wait(page, lambda: page.keyboard.press("ArrowRight"))
        assert page.evaluate("document.activeElement.textContent") == "Coverage"
        wait(page, lambda: page.keyboard.press("ArrowLeft"))
        page.locator("tr.click").first.focus()
        wait(page, lambda: page.keyboard.press("Enter"))
        assert page.get_by_role("heading", name="Zscaler ZPA").is_visible()
        page.get_by_role("button", name="Failures").first.focus()
        wait(page, lambda: page.keyboard.press("Space"))
        assert page.locator("th[aria-sort='ascending']").inner_text().startswith("Failures")
        page.get_by_label("Search in Rules, those that need somebody first").fill("root")
        assert page.locator("[data-step='rules'] tbody tr:visible").count() == 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("book", sorted(BOOKS))
def test_every_text_can_be_read(page: Any, book: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    with open_book(book) as preview, PreviewServer(preview) as server:
        page.goto(server.url)
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        names = page.get_by_role("tab").all_inner_texts()
        for name in names[1:]:
            assert not page.evaluate(CONTRAST)
            wait(page, lambda name=name: page.get_by_role("tab", name=name).click())
        assert not page.evaluate(CONTRAST)


def test_one_file_needs_no_server(page: Any, tmp_path: Path) -> None:
    with open_book("aws-root-and-iam") as preview:
        (tmp_path / "book.html").write_text(html(preview.view(every_tab=True)), encoding="utf-8")
    page.goto((tmp_path / "book.html").as_uri())
    assert page.locator("[data-step='root events'] tbody tr").count() > 5
    assert not page.locator("[data-step='iam changes']").count()
    page.get_by_role("tab", name="IAM changes").click()
    assert page.locator("[data-step='iam changes'] tbody tr").count() > 5
    assert not page.locator("select, tr.click").count()


def test_nothing_of_a_workbook_or_its_logs_runs(page: Any, tmp_path: Path) -> None:
    from tests.workbooks.making import query, read, text, write
    from toolkit import Workspace
    from toolkit.workbooks.preview.session import Preview

    attack = "<img src=x onerror=alert(1)><script>alert(2)</script><a href='javascript:alert(3)'>a</a><b onclick=alert(4)>b</b></script>"
    path = write(tmp_path, [text(attack), query(f"print ['<i>'] = {attack!r}".replace("\\'", "'"), title=attack)])
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    preview = Preview(read(path)[0], Workspace(), datetime(2026, 3, 3, tzinfo=UTC))
    with PreviewServer(preview) as server:
        page.goto(server.url)
        page.wait_for_selector(".grid, .fault")
        assert not page.evaluate("document.querySelectorAll('main script, main img, main [onclick], main a[href^=javascript]').length")
