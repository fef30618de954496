"""The pictures in docs/screenshots/, of a run: ``make run``, then ``make screenshots`` (or ``RUN=runs/…``).

The chat's answer is the run's model's own, on a CPU, to the question whose reward rose most.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TO = ROOT / "docs" / "screenshots"
SIZES = ((390, 844), (1280, 900), (1920, 1080))
sys.path.insert(0, str(ROOT / "tests" / "doubles"))


def main(run: str) -> None:
    """Draw both pages at three widths; fails where a page is wider than its window."""
    from biorlhf.reports.answers import changes
    from biorlhf.reports.page import page
    from biorlhf.reports.run import load_run
    from browser import chromium

    loaded = load_run(run)
    prompt = changes(loaded)[-1].prompt
    with tempfile.TemporaryDirectory() as folder, chromium() as browser, _served(run) as address:
        report = Path(folder, "report.html")
        report.write_text(page(loaded), encoding="utf-8")
        for width, height in SIZES:
            tab = browser.new_page(viewport={"width": width, "height": height})
            tab.goto(report.as_uri())
            tab.wait_for_selector(".plot svg.main-svg")
            _draw(tab, f"report-{width}.png", width)
            tab.goto(address)
            tab.fill("#prompt", prompt)
            tab.click("#ask")
            tab.wait_for_selector("article", timeout=120_000)
            _draw(tab, f"chat-{width}.png", width)
            tab.close()


@contextmanager
def _served(run: str) -> Iterator[str]:
    """``biorlhf generate RUN --serve``, which prints its address."""
    command = [sys.executable, "-m", "biorlhf", "generate", run, "--serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            told = iter(server.stderr or ())
            yield next((line.split()[0] for line in told if line.startswith("http://")), "")
        finally:
            server.terminate()


def _draw(tab, name: str, width: int) -> None:
    tab.wait_for_timeout(500)  # figures take their width a moment later
    if tab.evaluate("document.documentElement.scrollWidth") > width:
        sys.exit(f"{name}: the page is wider than its window")
    tab.screenshot(path=str(TO / name))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("which run? make run, then make screenshots; or: python docs/screenshots.py runs/…")
    main(sys.argv[1])
