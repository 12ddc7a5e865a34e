"""pytest plugin: the test classes that take longest come first.

Two processes that take the next class whenever they are free then end at about the same time.
``tests/costs.json`` has the seconds of each class, or of each file for tests without a class;
``AR_TEST_RECORD=1 bin/test`` writes it anew. Classes that it does not know count by their tests.
"""

import json
import os
from collections import Counter

from .layout import ROOT, write_atomically

COSTS = ROOT / "tests/costs.json"
#: of a test whose class is not known yet
SECONDS = 0.6
#: cheaper classes are not worth a line each
LEAST = 1.0
#: no phase of a test takes so long
MOST = 3600


def scope(nodeid):
    """What pytest-xdist keeps together with ``--dist loadscope``."""
    return nodeid.rpartition("::")[0]


def read_costs():
    return json.loads(COSTS.read_text()) if COSTS.exists() else {}


def in_order(nodeids, costs):
    """The positions of the tests, costly scopes first; inside a scope the order stays."""
    counts = Counter(map(scope, nodeids))
    cost = {name: costs.get(name, count * SECONDS) for name, count in counts.items()}
    return sorted(
        range(len(nodeids)),
        key=lambda position: (-cost[scope(nodeids[position])], scope(nodeids[position])),
    )


def pytest_configure(config):
    if os.environ.get("AR_TEST_RECORD") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(), "workspace-costs-recorder")


def pytest_collection_modifyitems(items):
    positions = in_order([item.nodeid for item in items], read_costs())
    items[:] = [items[position] for position in positions]


class Recorder:
    def __init__(self):
        self.seconds = Counter()

    def pytest_runtest_logreport(self, report):
        # A test that sets the clock sets pytest's as well.
        if 0 <= report.duration < MOST:
            self.seconds[scope(report.nodeid)] += report.duration

    def pytest_sessionfinish(self):
        kept = {
            name: round(seconds, 1)
            for name, seconds in sorted(self.seconds.items())
            if seconds >= LEAST
        }
        write_atomically(COSTS, json.dumps(kept, indent=1) + "\n")
