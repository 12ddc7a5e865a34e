"""The workspace's own code, where it could go wrong without anybody noticing."""

import hashlib
import http.server
import os
import shlex
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from workspace import (
    console,
    core_tests,
    costs,
    databases,
    debian,
    download,
    layout,
    mutants,
    postgres,
    runtime,
    testing,
)
from workspace.console import WorkspaceError

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Mirror(http.server.ThreadingHTTPServer):
    """A server of one file that behaves as mirrors sometimes do.

    :ivar ranges: the ``Range`` headers of all requests
    :ivar resumes: it knows ``Range``
    :ivar breaks: so many answers end in the middle
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.ranges, self.resumes, self.breaks = CONTENT, [], True, 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/odoo.deb"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        content, start = self.server.content, 0
        if wanted and self.server.resumes:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        part = content[start:]
        if self.server.breaks:
            self.server.breaks -= 1
            part = part[: len(part) // 2]
        self.wfile.write(part)

    def log_message(self, *args):
        pass


@pytest.fixture
def mirror(monkeypatch):
    monkeypatch.setattr(download.time, "sleep", lambda seconds: None)
    with Mirror() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def fetch(mirror, target):
    download.fetch(mirror.url, target, len(CONTENT), SHA256)
    assert target.read_bytes() == CONTENT
    assert not target.with_name(f"{target.name}.part").exists()


def test_download_goes_on_where_it_stopped(mirror, tmp_path):
    (tmp_path / "odoo.deb.part").write_bytes(CONTENT[:1000])
    fetch(mirror, tmp_path / "odoo.deb")
    assert mirror.ranges == ["bytes=1000-"]


def test_download_from_a_mirror_that_cannot_resume(mirror, tmp_path):
    mirror.resumes = False
    (tmp_path / "odoo.deb.part").write_bytes(CONTENT[:1000])
    fetch(mirror, tmp_path / "odoo.deb")


def test_download_over_a_connection_that_breaks(mirror, tmp_path):
    mirror.breaks = 2
    fetch(mirror, tmp_path / "odoo.deb")
    half = len(CONTENT) // 2
    assert mirror.ranges == [None, f"bytes={half}-", f"bytes={half + half // 2}-"]


def test_download_replaces_a_part_of_something_else(mirror, tmp_path):
    """The checksum says so; the second attempt starts from nothing."""
    (tmp_path / "odoo.deb.part").write_bytes(b"another file")
    fetch(mirror, tmp_path / "odoo.deb")
    assert mirror.ranges == ["bytes=12-", None]


@pytest.mark.parametrize("size", [len(CONTENT), len(CONTENT) + 1])
def test_download_replaces_a_part_of_full_length(mirror, tmp_path, size):
    (tmp_path / "odoo.deb.part").write_bytes(b"x" * size)
    fetch(mirror, tmp_path / "odoo.deb")


def test_download_trusts_the_checksum_only(mirror, tmp_path):
    mirror.content = CONTENT[::-1]
    target = tmp_path / "odoo.deb"
    with pytest.raises(WorkspaceError, match="wrong checksum"):
        download.fetch(mirror.url, target, len(CONTENT), SHA256)
    assert not target.exists()
    assert len(mirror.ranges) == download.ATTEMPTS


def test_nothing_is_downloaded_twice(mirror, tmp_path):
    (tmp_path / "odoo.deb").write_bytes(CONTENT)
    fetch(mirror, tmp_path / "odoo.deb")
    assert mirror.ranges == []
    (tmp_path / "odoo.deb").write_bytes(CONTENT[:-1] + b"x")
    fetch(mirror, tmp_path / "odoo.deb")
    assert len(mirror.ranges) == 1


def test_a_package_that_is_incomplete_is_fetched_again(monkeypatch, tmp_path):
    monkeypatch.setattr(debian, "CACHE", tmp_path)
    package = {"file": "odoo.deb", "size": 3}
    assert not debian._is_complete(package)
    (tmp_path / "odoo.deb").write_bytes(b"ab")
    assert not debian._is_complete(package)
    (tmp_path / "odoo.deb").write_bytes(b"abc")
    assert debian._is_complete(package)


def test_one_process_at_a_time(monkeypatch, tmp_path):
    """The other one waits, and goes on when the first is killed as well."""
    monkeypatch.setattr(layout, "HOME", tmp_path)
    script = """if True:
        import sys, time
        from workspace.layout import exclusive
        with exclusive("databases"):
            print("inside", flush=True)
            time.sleep(60)
    """
    env = {**os.environ, "AR_DEV_HOME": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", script], env=env, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "inside\n"
        entered = threading.Event()

        def enter():
            with layout.exclusive("databases"):
                entered.set()

        waiting = threading.Thread(target=enter, daemon=True)
        waiting.start()
        assert not entered.wait(0.3)
        with layout.exclusive("template"):
            assert not entered.is_set(), "another lock is another one"
        other.kill()
        assert entered.wait(60)
        waiting.join()


def test_a_file_is_replaced_in_one_step(tmp_path):
    path = tmp_path / "odoo.conf"
    layout.write_atomically(path, "one")
    os.utime(path, (1, 1))
    layout.write_atomically(path, "one")
    assert path.stat().st_mtime == 1, "the same text leaves the file alone"
    layout.write_atomically(path, "two")
    assert path.read_text() == "two"
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def tree(monkeypatch, tmp_path):
    """A checkout with an addon and a bridge."""
    monkeypatch.setattr(layout, "ROOT", tmp_path)
    for addon, depends in (("ar_collections", ["account"]), ("ar_collections_x", ["sale"])):
        (tmp_path / addon / "models").mkdir(parents=True)
        (tmp_path / addon / "__manifest__.py").write_text(f'{{"depends": {depends}}}')
        (tmp_path / addon / "models/case.py").write_text("a = 1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("ar_collections/models/case.py", True),
        ("ar_collections/models/new.py", True),
        ("ar_collections_x/models/case.py", True),
        ("ar_collections/static/src/list.js", True),
        ("ar_collections/i18n/de.po", True),
        ("ar_collections/static/tests/tours/tour.js", False),
        ("ar_collections/tests/test_case.py", False),
        ("ar_collections/models/__pycache__/case.pyc", False),
        ("ar_collections/readme/USAGE.md", False),
        ("tools/replay.py", False),
    ],
)
def test_fingerprint_of_what_an_installation_reads(tree, file, changes):
    before = layout.addons_fingerprint()
    assert layout.addons_fingerprint() == before
    path = tree / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("b = 2\n")
    assert (layout.addons_fingerprint() != before) == changes


def test_fingerprint_knows_names_and_what_is_gone(tree):
    before = layout.addons_fingerprint()
    (tree / "ar_collections/models/case.py").rename(tree / "ar_collections/models/other.py")
    assert layout.addons_fingerprint() != before


def test_addons_of_a_checkout(tree):
    assert list(layout.addons()) == ["ar_collections", "ar_collections_x"]
    assert layout.foreign_depends() == sorted({"account", "sale", *layout.EXTRA})
    (tree / "ar_collections_x/__manifest__.py").write_text('{"installable": False}')
    assert list(layout.addons()) == ["ar_collections"]
    (tree / "ar_collections/__manifest__.py").write_text("{")
    with pytest.raises(WorkspaceError, match="cannot be read"):
        layout.addons()


def test_digest_knows_where_a_part_ends():
    assert layout.digest("ab", "c") != layout.digest("a", "bc")


class Server:
    """A session that only knows which databases there are."""

    private_server = True
    data_dir = Path("/data")

    def __init__(self, *names):
        self.marks = dict.fromkeys(names, "")

    def sql(self, query, database="postgres"):
        words = shlex.split(query.replace('"', "'"))
        if query.startswith("SELECT datname"):
            return "\n".join(self.marks)
        if query.startswith("SELECT shobj"):
            return self.marks[words[-1]]
        if query.startswith("DROP DATABASE"):
            self.marks.pop(words[4], None)
        elif query.startswith("CREATE DATABASE"):
            self.marks[words[2]] = ""
        elif query.startswith("COMMENT ON"):
            self.marks[words[3]] = words[5]
        elif query.startswith("ALTER DATABASE"):
            self.marks[words[5]] = self.marks.pop(words[2])
        else:
            raise AssertionError(query)
        return ""

    def filestore(self, database):
        return Path("/nowhere") / database


def test_a_database_gets_its_name_when_it_is_complete():
    server = Server("new_ar_demo")

    def build(fails):
        with databases.building(server, "ar_demo") as new:
            assert new not in server.marks, "what an interruption left behind is gone"
            databases.create_empty(server, new)
            if fails:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(fails=True)
    assert list(server.marks) == ["new_ar_demo"]
    build(fails=False)
    assert list(server.marks) == ["ar_demo"]


def test_only_former_builds_of_the_same_kind_go():
    server = Server("ar_demo", "customers")
    for name, kind in (
        ("ar_ready_old", "ar_ready_ False"),
        ("ar_ready_now", "ar_ready_ False"),
        ("ar_ready_demo", "ar_ready_ True"),
        ("new_ar_ready_half", "ar_ready_ False"),
        ("new_ar_tpl_other", "ar_tpl_ True"),
    ):
        server.marks[name] = ""
        databases.mark(server, name, kind)
    server.marks["ar_ready_foreign"] = "ar_collections workspace 0 ar_ready_ False"
    databases._remove_former(server, "ar_ready_ False", "ar_ready_now")
    left = {"ar_demo", "customers", "ar_ready_now", "ar_ready_demo"}
    assert set(server.marks) == left | {"new_ar_tpl_other", "ar_ready_foreign"}


def test_nothing_goes_from_a_server_that_others_use():
    server = Server("ar_ready_old")
    server.private_server = False
    databases.mark(server, "ar_ready_old", "ar_ready_ False")
    databases._remove_former(server, "ar_ready_ False", "ar_ready_now")
    assert list(server.marks) == ["ar_ready_old"]


def test_databases_of_killed_runs_go():
    with subprocess.Popen(["true"]) as process:
        process.wait()
    server = Server(f"ar_test_{process.pid}-gw0", f"ar_test_{os.getpid()}", "ar_test_x")
    databases._remove_leftovers(server)
    assert set(server.marks) == {f"ar_test_{os.getpid()}", "ar_test_x"}
    databases._remove_leftovers(server, own=True)
    assert list(server.marks) == ["ar_test_x"]


def private_server(folder):
    server = object.__new__(postgres.PrivateServer)
    server.base, server.identity, server.wrapper = folder, {}, ()
    return server


def test_postgres_in_a_folder_with_spaces():
    """``pg_ctl`` hands the server's options to a shell."""
    server = private_server(Path("/home/me/My Work"))
    server.cluster, server.socket = server.base / "cluster", server.base / "it's/socket"
    commands = []

    def run(*command, **kwargs):
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    server._run = run
    server._start()
    options = commands[0][commands[0].index("-o") + 1]
    assert shlex.split(options) == ["-k", str(server.socket), "-p", "5432"]


def test_socket_in_a_deep_folder(tmp_path, monkeypatch):
    """A path of a socket has 107 bytes at most."""
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(postgres.tempfile, "gettempdir", lambda: str(tmp_path))
    assert private_server(tmp_path)._socket_folder() == tmp_path / "socket"
    assert private_server(deep)._socket_folder().parent == tmp_path


def test_server_of_a_configuration_file(tmp_path, monkeypatch):
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD"):
        monkeypatch.setenv(name, "from the shell")
    path = tmp_path / "odoo.conf"
    path.write_text("[options]\ndb_host = False\ndb_port = 5433\ndb_user = me\ndb_password = p%c\n")
    postgres.use_config_file(path)
    found = {name: os.environ.get(name) for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD")}
    assert found == {
        "PGHOST": postgres.LOCAL_SOCKET,
        "PGPORT": "5433",
        "PGUSER": "me",
        "PGPASSWORD": "p%c",
    }
    with pytest.raises(WorkspaceError):
        postgres.use_config_file(tmp_path / "missing.conf")


def test_the_distributions_python_comes_first(tmp_path):
    assert runtime.find_python(tmp_path) == Path(sys.executable)
    built = tmp_path / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    built.touch()
    (tmp_path / "python3.9").touch()
    assert runtime.find_python(tmp_path) == built


def test_the_suite_runs_each_file_once():
    apart = [*testing.PLAIN, *testing.BY_COMMAND]
    assert len(set(apart)) == len(apart)
    assert all(path.exists() for path in apart)


def test_an_environment_in_use_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, "HOME", tmp_path)
    for name in ("venv-now", "venv-used", "venv-old"):
        (tmp_path / name).mkdir()
    used = runtime.Runtime(tmp_path / "venv-used", "0")
    runtime._remove_unused(tmp_path / "venv-now")
    assert {path.name for path in tmp_path.iterdir()} == {"venv-now", "venv-used"}
    del used


def test_costly_classes_come_first():
    nodeids = ["a.py::A::one", "a.py::A::two", "b.py::B::one", "c.py::three", "b.py::B::two"]
    order = costs.in_order(nodeids, {"b.py::B": 50, "c.py": 9})
    assert [nodeids[position] for position in order] == [
        "b.py::B::one",
        "b.py::B::two",
        "c.py::three",
        "a.py::A::one",
        "a.py::A::two",
    ]


def test_costs_name_files_that_exist():
    gone = [name for name in costs.read_costs() if not (layout.ROOT / name.split("::")[0]).exists()]
    assert gone == []


def test_arguments_of_bin_test(monkeypatch):
    assert testing._split(["-k", "x", "tests/common.py::TestCase", "-q"]) == (
        [f"{layout.ROOT / layout.ADDON}/tests/common.py::TestCase"],
        ["-k", "x", "-q"],
    )
    plain, other = ([f"{layout.ROOT}/tests/{name}.py"] for name in ("test_style", "test_replay"))
    assert testing._are_plain(plain)
    assert not testing._are_plain(plain + other)
    assert not testing._are_plain([])
    monkeypatch.setenv("AR_TEST_WORKERS", "1")
    assert testing._workers() == []


def test_a_skipped_test_fails_a_full_run(tmp_path):
    (tmp_path / "test_it.py").write_text("import pytest\ndef test_it():\n    pytest.skip('no')\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:odoo", "-p", "workspace.strict"]
    command += ["-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
    for options, code in (([], 0), (["--no-skips"], 1)):
        result = subprocess.run([*command, *options], capture_output=True, cwd=tmp_path)
        assert result.returncode == code, result.stdout


def test_selection_of_odoos_own_tests():
    text = "# why\nsale/tests/test_a.py\nexcept sale/tests/test_a.py::T::test_x  # why\n\n"
    assert core_tests.read_selection(text) == [
        "sale/tests/test_a.py",
        "--deselect=sale/tests/test_a.py::T::test_x",
    ]


def test_a_mistake_is_made_where_its_text_stands_once(tmp_path):
    mutant = mutants.Mutant("run", "condition", "a.py", "if x:", "if not x:", ("t.py",))
    assert mutant.apply("if x:\n    y\n") == "if not x:\n    y\n"
    for text in ("", "if x:\nif x:\n"):
        with pytest.raises(ValueError, match="times"):
            mutant.apply(text)


def test_mistakes_that_do_not_apply_are_found(tmp_path):
    (tmp_path / "a.py").write_text("if x:\n    y\n")
    (tmp_path / "t.py").touch()
    good = mutants.Mutant("run", "condition", "a.py", "if x:", "if not x:", ("t.py::T",))
    assert mutants.find_problems([good], tmp_path) == []
    for change, problem in (
        ({"old": "if z:"}, "stands 0 times"),
        ({"new": "if :"}, "invalid syntax"),
        ({"file": "b.py"}, "there is no b.py"),
        ({"tests": ("gone.py",)}, "there is no gone.py"),
        ({"tests": ()}, "no test is named"),
        ({"kind": "odd"}, "unknown kind"),
    ):
        found = mutants.find_problems([good._replace(**change)], tmp_path)
        assert len(found) == 1, found
        assert problem in found[0]
    assert "twice" in mutants.find_problems([good, good], tmp_path)[0]


def test_a_stage_that_failed_is_not_reported_as_done():
    before = list(console.finished_stages)
    with pytest.raises(WorkspaceError), console.stage("fails"):
        raise WorkspaceError("no")
    assert console.finished_stages == before
