"""What the person at the terminal sees: stages, progress, one clear error, no traceback."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

#: (name, seconds) of every finished stage, in order
finished_stages = []
_started = time.monotonic()


class WorkspaceError(Exception):
    """A problem the user can do something about; the message says what."""


def say(*words):
    print("[ar]", *words, flush=True)


def on_terminal():
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


@contextlib.contextmanager
def stage(name, ticking=False):
    """Announce a stage and report its duration.

    :param ticking: show the seconds while waiting; only for stages that print nothing themselves
    """
    say(f"{name} ...")
    start = time.monotonic()
    done = threading.Event()
    if ticking:
        threading.Thread(target=_tick, args=(name, start, done), daemon=True).start()
    try:
        yield
    finally:
        done.set()
    seconds = time.monotonic() - start
    finished_stages.append((name, seconds))
    say(f"{name}: done in {seconds:.0f} s")


def _tick(name, start, done):
    """Sign of life: every second on a terminal, every half minute in a log."""
    terminal = on_terminal()
    while not done.wait(1 if terminal else 30):
        seconds = time.monotonic() - start
        if terminal:
            print(f"\r[ar] {name} ... {seconds:.0f} s", end="\r", flush=True)
        else:
            say(f"{name} ... {seconds:.0f} s")


class Progress:
    """Progress of a big download: in place on a terminal, a line per tenth in a log."""

    def __init__(self, label, total):
        self.label, self.total, self.shown = label, total, -1

    def update(self, done):
        percent = 100 * done // max(self.total, 1)
        step = percent if on_terminal() else percent // 10
        if step == self.shown or self.total < 10 << 20:
            return
        self.shown = step
        line = f"  {self.label}: {percent:3d} % of {self.total / (1 << 20):.0f} MiB"
        if on_terminal():
            print(f"\r[ar] {line}", end="\n" if done >= self.total else "", flush=True)
        else:
            say(line)


def stage_report():
    """One line with all stages that took noticeable time."""
    parts = [f"{name} {seconds:.0f} s" for name, seconds in finished_stages if seconds >= 0.5]
    return f"{'; '.join(parts) or 'nothing to do'}; since start {time.monotonic() - _started:.0f} s"


def run_command(main, *args):
    """Run a command's main function and leave the process with its exit code."""
    # Without .pyc files every start of Odoo takes seconds more.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # Ending by TERM or HUP has to run the clean-up as Ctrl-C does.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        if sys.version_info[:2] not in ((3, 11), (3, 12), (3, 13)):
            raise WorkspaceError("Odoo 19 needs Python 3.11, 3.12 or 3.13")
        code = main(*args)
    except WorkspaceError as error:
        code = _fail(str(error))
    except subprocess.CalledProcessError as error:
        command = " ".join(map(str, error.cmd[:6])) if isinstance(error.cmd, list) else error.cmd
        code = _fail(f"this command failed with code {error.returncode}: {command}\n"
                     f"{tail(error.stderr or error.stdout)}")  # fmt: skip
    except OSError as error:
        code = _fail(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "))
    except KeyboardInterrupt:
        print("[ar] stopped; the next start goes on from here", file=sys.stderr)
        code = 130
    sys.exit(code)


def _interrupt(number, frame):
    raise KeyboardInterrupt


def _fail(message):
    print(f"[ar] ERROR: {message.strip()}", file=sys.stderr, flush=True)
    return 1


def tail(output, lines=15):
    """The last lines of a command's output, for error messages."""
    if isinstance(output, bytes):
        output = output.decode(errors="replace")
    return "\n".join((output or "").strip().splitlines()[-lines:])


def run_in_foreground(command, **kwargs):
    """Run a program that owns the terminal, pass signals on to it, return its exit code.

    Ctrl-C reaches the whole foreground group, so it is passed on only when it came otherwise:
    Odoo takes a second SIGINT as "exit at once".
    """
    with subprocess.Popen([str(part) for part in command], **kwargs) as process:

        def forward(number, frame):
            by_terminal = number == signal.SIGINT and _is_foreground()
            if not by_terminal and process.poll() is None:
                process.send_signal(number)

        handlers = {
            number: signal.signal(number, forward)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        try:
            code = process.wait()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    return 128 - code if code < 0 else code


def _is_foreground():
    try:
        return os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False
