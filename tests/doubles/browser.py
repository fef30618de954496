"""Chromium for tests: Debian's, or Playwright's own; without one a test is skipped, with a word why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser of Playwright's; skips the test where there is none."""
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except sync.Error as error:
            pytest.skip(f"no Chromium here (apt-get install chromium): {str(error).splitlines()[0]}")
        yield browser
        browser.close()
