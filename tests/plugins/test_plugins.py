"""The plugin manager: conflicts, misspelt hooks, and plugins that fail to import."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from biorlhf import plugins
from biorlhf.errors import PluginError
from biorlhf.hookspecs import DatasetPlugin, VerifierPlugin, hookimpl


def plugin(name: str, **hooks) -> object:
    """A plugin object with the given hook implementations."""
    return type(name, (), {"__name__": name, **{k: staticmethod(hookimpl(v)) for k, v in hooks.items()}})()


def verifiers(*records: VerifierPlugin):
    def biorlhf_verifiers():
        yield from records

    return biorlhf_verifiers


def record(name: str, *aliases: str) -> VerifierPlugin:
    return VerifierPlugin(name=name, aliases=aliases, build=lambda config: None)


def test_two_plugins_of_one_name_are_an_error_that_names_both():
    first = plugin("lab_a", biorlhf_verifiers=verifiers(record("shared")))
    second = plugin("lab_b", biorlhf_verifiers=verifiers(record("other", "Shared")))
    with pytest.raises(PluginError) as caught:
        plugins.load(entry_points=False, extra=(first, second))
    assert "lab_a 0" in str(caught.value)
    assert "lab_b 0" in str(caught.value)


def test_a_misspelt_hook_is_an_error_with_the_nearest_hook():
    wrong = plugin("lab", biorlhf_verifers=verifiers(record("a")))
    with pytest.raises(PluginError, match="did you mean: biorlhf_verifiers"):
        plugins.load(entry_points=False, extra=(wrong,))


def test_a_record_of_the_wrong_kind_is_an_error():
    def biorlhf_verifiers():
        yield DatasetPlugin(name="a", build=lambda config: None)

    with pytest.raises(PluginError, match="yielded DatasetPlugin"):
        plugins.load(entry_points=False, extra=(plugin("lab", biorlhf_verifiers=biorlhf_verifiers),))


def test_a_name_that_no_recipe_could_write_is_an_error():
    with pytest.raises(PluginError, match="letters, digits and underscores"):
        plugins.load(entry_points=False, extra=(plugin("lab", biorlhf_verifiers=verifiers(record("a b"))),))


def test_names_and_aliases_are_found_in_any_case():
    catalogue = plugins.load(
        entry_points=False, extra=(plugin("lab", biorlhf_verifiers=verifiers(record("zebra", "Z1"))),)
    )
    assert catalogue.get("verifier", "z1").record.name == "zebra"
    assert catalogue.get("verifier", "ZEBRA").provenance.distribution == "lab"


def test_the_order_of_registration_does_not_matter():
    one = plugin("one", biorlhf_verifiers=verifiers(record("zeta")))
    two = plugin("two", biorlhf_verifiers=verifiers(record("alpha_first")))

    def names(*extra):
        return [e.record.name for e in plugins.load(entry_points=False, extra=extra).of_kind("verifier")]

    assert names(one, two) == names(two, one)


@pytest.fixture
def broken_distribution(tmp_path: Path, monkeypatch):
    """An installed distribution whose entry point cannot be imported."""
    (tmp_path / "lab_broken.py").write_text("import a_package_that_is_not_there\n")
    info = tmp_path / "lab_broken-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-broken\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[biorlhf]\nbroken_verifier = lab_broken\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("lab_broken", None)


@pytest.mark.usefixtures("broken_distribution")
def test_a_plugin_that_fails_to_import_is_reported_and_fatal_only_where_it_is_named():
    catalogue = plugins.load()
    [broken] = [b for b in catalogue.broken if b.entry_point == "broken_verifier"]
    assert str(broken.provenance) == "lab-broken 1.2"
    assert "a_package_that_is_not_there" in broken.reason
    with pytest.raises(PluginError, match=r"lab-broken 1\.2"):
        catalogue.get("verifier", "broken_verifier")
