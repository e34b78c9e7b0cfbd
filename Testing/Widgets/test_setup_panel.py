"""The set-up's panel: what is needed, whether it is here, and the button that installs it."""

from __future__ import annotations

import pytest

from Testing.Widgets.panel_bench import REQUIREMENTS
from Testing.Widgets.qt_host.host import QtHost


def panel_of(bench, requirements=REQUIREMENTS, *, session=None, complete=lambda: None):
    from MedSegAI.Widgets.setup_panel import SetupPanel

    panel = SetupPanel(bench.ui, session, requirements=requirements, complete=complete)
    panel.refresh()
    return panel


@pytest.fixture
def impossible(tmp_path):
    """A list with a package that there is not."""
    listed = tmp_path / "requirements.txt"
    listed.write_text("# why\njsonschema\nno-such-package-anywhere>=2\n")
    return listed


def rows(bench):
    table = bench.ui.setupTable
    return {table.item(row, 0).text(): table.item(row, 1).text() for row in range(table.rowCount)}


def test_where_all_is_here_the_section_stays_closed(bench):
    panel_of(bench)
    assert rows(bench) == {"Python packages": "ready", "PyTorch": "ready"}
    assert bench.ui.setupSection.collapsed
    assert not bench.ui.installButton.enabled


def test_a_missing_package_opens_the_section_and_says_what_to_do(bench, impossible):
    panel_of(bench, impossible)
    assert rows(bench) == {"Python packages": "missing", "PyTorch": "ready"}
    assert "no-such-package-anywhere>=2" in bench.ui.setupTable.item(0, 2).text()
    assert "Press 'Install what is missing'." in bench.ui.setupTable.item(0, 2).text()
    assert not bench.ui.setupSection.collapsed
    assert bench.ui.installButton.enabled and not bench.ui.checkButton.enabled
    bench.picture(bench.ui.setupSection, "set-up-missing")


def test_installing_asks_first_and_logs(bench, impossible):
    panel_of(bench, impossible)
    bench.host.dialogs.answers.append(True)
    bench.ui.installButton.click()
    assert bench.host.installer.installed == [["no-such-package-anywhere>=2"]]
    log = bench.ui.setupLog.toPlainText().splitlines()
    assert log == ["Installing: Python packages", "Installed: Python packages"]
    assert not bench.ui.setupLog.isHidden()
    bench.picture(bench.ui.setupSection, "set-up-installing")


def test_who_declines_is_told_what_will_not_work(bench, impossible):
    panel_of(bench, impossible)
    bench.host.dialogs.answers.append(False)
    bench.ui.installButton.click()
    assert bench.problem == "MedSegAI cannot run without no-such-package-anywhere>=2."
    assert bench.host.installer.installed == []


def test_a_failed_installation_is_told(bench, impossible):
    panel_of(bench, impossible)
    bench.host.installer.failure = OSError("no connection")
    bench.host.dialogs.answers.append(True)
    bench.ui.installButton.click()
    assert "could not be installed: no-such-package-anywhere>=2" in bench.problem
    assert "could not be installed" in bench.ui.setupLog.toPlainText()


def test_once_all_packages_are_there_the_case_can_begin(bench, impossible):
    complete = []
    panel_of(bench, impossible, complete=lambda: complete.append(True))
    impossible.write_text("jsonschema\n")
    bench.ui.installButton.click()
    assert complete == [True]


def test_opening_the_section_has_the_worker_look_at_everything(bench):
    panel = panel_of(bench, session=bench.session)
    bench.ui.setupSection.collapsed = False
    assert bench.session.is_busy
    bench.work_through()
    panel.refresh()
    found = rows(bench)
    assert found["torch"] == "ready" and found["model hippocampus-mr"] == "ready"
    assert {"Python", "packages", "GPU", "memory"} <= set(found)
    bench.picture(bench.ui.setupSection, "set-up")


def test_an_older_slicer_installs_with_its_plain_function(impossible):
    with QtHost(packaging=False) as host:
        from MedSegAI.Widgets.dependencies import install_packages

        host.dialogs.answers.append(True)
        install_packages(impossible)
        assert "no-such-package-anywhere>=2" in host.dialogs.texts("question")[0]
        assert host.installer.installed == [["no-such-package-anywhere>=2"]]


def test_without_the_pytorch_extension_it_says_where_to_get_it(monkeypatch):
    with QtHost(pytorch=False):
        from MedSegAI.Logic.errors import DependencyError
        from MedSegAI.Widgets import dependencies

        monkeypatch.setattr(dependencies, "has_torch", lambda: False)
        with pytest.raises(DependencyError, match="Extensions Manager"):
            dependencies.install_torch()


def test_torch_is_installed_by_the_pytorch_extension(qt_host, monkeypatch):
    from MedSegAI.Logic.errors import DependencyError
    from MedSegAI.Widgets import dependencies

    monkeypatch.setattr(dependencies, "has_torch", lambda: False)
    with pytest.raises(DependencyError, match="PyTorch was not installed"):
        dependencies.install_torch()
    qt_host.installer.torch_answer = object()
    dependencies.install_torch()
    assert qt_host.installer.torch_requests == [{"askConfirmation": True}] * 2
