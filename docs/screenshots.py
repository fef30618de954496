"""The pictures in docs/screenshots/ (``make screenshots``), of a made-up run and a scripted answer."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TO = ROOT / "docs" / "screenshots"
SIZES = ((390, 844), (1280, 900), (1920, 1080))
# What the tests make up is what the pictures show; it is no part of the package.
sys.path.insert(0, str(ROOT / "tests" / "doubles"))


def main() -> None:
    """Draw both pages at three widths; fails where a page is wider than its window."""
    from biorlhf.reports.page import page
    from biorlhf.reports.run import load_run
    from biorlhf.serving.web import Desk
    from browser import chromium
    from chat_double import QUESTION, Scorer, Scripted, served
    from made_run import write_run

    TO.mkdir(exist_ok=True)
    desk = Desk(Scripted(), Scorer(), {"q": QUESTION}, "the final adapter on smollm2-135m-instruct")
    with tempfile.TemporaryDirectory() as folder, chromium() as browser, served(desk) as address:
        report = Path(folder, "report.html")
        report.write_text(page(load_run(write_run(Path(folder, "demo")))), encoding="utf-8")
        for width, height in SIZES:
            tab = browser.new_page(viewport={"width": width, "height": height})
            tab.goto(report.as_uri())
            tab.wait_for_selector(".plot svg.main-svg")
            _draw(tab, f"report-{width}.png", width)
            tab.goto(address)
            tab.fill("#prompt", QUESTION.prompt)
            tab.click("#ask")
            tab.wait_for_selector("article")
            _draw(tab, f"chat-{width}.png", width)
            tab.close()


def _draw(tab, name: str, width: int) -> None:
    tab.wait_for_timeout(500)  # figures take their width a moment later
    if tab.evaluate("document.documentElement.scrollWidth") > width:
        sys.exit(f"{name}: the page is wider than its window")
    tab.screenshot(path=str(TO / name))


if __name__ == "__main__":
    main()
