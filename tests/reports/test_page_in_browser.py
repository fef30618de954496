"""The report's page, opened in Chromium: wide and narrow, light and dark, by keyboard, printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from biorlhf.reports.page import page
from biorlhf.reports.run import load_run
from browser import chromium
from made_run import write_run

WIDTHS = (360, 390, 768, 1280, 1920)


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> Iterator[Any]:
    """The page of a made-up run, in a tab with no network."""
    pytest.importorskip("plotly.offline", reason="plotly is not installed")
    folder = tmp_path_factory.mktemp("page")
    file = folder / "report.html"
    file.write_text(page(load_run(write_run(folder / "demo-1"))), encoding="utf-8")
    with chromium() as browser:
        context = browser.new_context(offline=True)
        tab = context.new_page()
        tab.problems = []
        tab.on("pageerror", lambda error: tab.problems.append(str(error)))
        tab.on("console", lambda m: tab.problems.append(m.text) if m.type == "error" else None)
        tab.goto(file.as_uri())
        tab.wait_for_selector(".plot svg.main-svg")
        yield tab


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_off_at_any_width(shown, width):
    shown.set_viewport_size({"width": width, "height": 900})
    shown.evaluate("document.getElementById('numbers').open = true")
    shown.wait_for_timeout(300)  # Plotly follows the width a moment later
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    outside = """() => [...document.querySelectorAll('p, li, td, th, figure, .plot, summary, pre, h1, h2')]
        .filter(e => e.offsetParent && e.getBoundingClientRect().right > innerWidth + 1)
        .map(e => e.outerHTML.slice(0, 80))"""
    assert shown.evaluate(outside) == []
    assert shown.problems == []


@pytest.mark.parametrize("width", [360, 1280, 768])
def test_no_words_of_a_figure_lie_over_others(shown, width):
    shown.set_viewport_size({"width": width, "height": 900})
    shown.wait_for_timeout(300)
    over = """() => [...document.querySelectorAll('.plot')].flatMap(plot => {
        const words = [...plot.querySelectorAll('svg text')].filter(e => e.textContent.trim());
        const boxes = words.map(e => [e.textContent, e.getBoundingClientRect()]);
        return boxes.flatMap(([one, a], i) => boxes.slice(i + 1).filter(([_, b]) =>
            Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
            Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2
        ).map(([other]) => [plot.getAttribute('aria-label'), one, other]));
    })"""
    assert shown.evaluate(over) == []


def test_the_answer_stands_above_the_fold(shown):
    shown.set_viewport_size({"width": 1280, "height": 800})
    shown.evaluate("scrollTo(0, 0)")
    assert shown.locator(".words").inner_text().startswith("It learnt most of the facts")
    assert shown.locator(".tile").count() == 4
    for tile in shown.locator(".tile").all():
        assert tile.bounding_box()["y"] + tile.bounding_box()["height"] < 800


def test_a_figure_is_drawn_and_tells_its_numbers_under_the_pointer(shown):
    shown.set_viewport_size({"width": 1280, "height": 900})
    figure = shown.locator('.plot[aria-label^="Reward, step"]')
    figure.scroll_into_view_if_needed()
    shown.wait_for_timeout(200)
    figure.locator(".point").first.hover(force=True)
    shown.wait_for_selector(".hoverlayer text")
    assert "0.1" in figure.locator(".hoverlayer").text_content()


def contrast(one: str, other: str) -> float:
    """The ratio of luminance of two colours, as WCAG 2 defines it: 4.5 is what text needs."""

    def luminance(colour: str) -> float:
        parts = [float(x) / 255 for x in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_axes_can_be_read_light_and_dark(shown, scheme):
    shown.emulate_media(color_scheme=scheme)
    shown.wait_for_timeout(300)
    ground = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    colours = """() => ['.words', '.tile .good', '.soft', 'summary'].map(
        s => getComputedStyle(document.querySelector(s)).color)"""
    axis = shown.evaluate("getComputedStyle(document.querySelector('.xtick text')).fill")
    for colour in [*shown.evaluate(colours), axis]:
        assert contrast(colour, ground) >= 4.5, (colour, ground)
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")


def test_a_number_is_found_with_the_keyboard_alone(shown):
    shown.reload()
    shown.wait_for_selector(".plot svg.main-svg")
    shown.keyboard.press("Tab")
    assert shown.evaluate("document.activeElement.className") == "skip"
    shown.keyboard.press("Enter")
    shown.keyboard.type("BRIER cal")
    rows = shown.locator("#numbers tbody tr:visible")
    assert rows.count() > 0
    assert all("brier" in text for text in rows.all_inner_texts())
    assert shown.locator("#found").inner_text() == f"{rows.count()} of 22"


def test_it_prints_whole_with_every_number_unfolded(shown, tmp_path):
    pdf = Path(tmp_path / "report.pdf")
    shown.pdf(path=str(pdf), format="A4")
    assert pdf.read_bytes().startswith(b"%PDF")
    shown.emulate_media(media="print")
    assert not shown.locator("#find").is_visible()
    shown.emulate_media(media="screen")
