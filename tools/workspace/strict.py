"""pytest plugin: with ``--no-skips`` a skipped test fails the run."""

import pytest


def pytest_addoption(parser):
    parser.addoption("--no-skips", action="store_true", help="fail when any test is skipped")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not session.config.getoption("--no-skips") or not reporter:
        return
    if exitstatus == pytest.ExitCode.OK and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    skipped = len(terminalreporter.stats.get("skipped", ()))
    if skipped and config.getoption("--no-skips"):
        terminalreporter.write_line(
            f"ERROR: {skipped} skipped: none may be in a full run", red=True
        )
