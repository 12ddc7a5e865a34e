"""Downloads that survive interruption: partial files are resumed, only a checksum is trusted."""

import time
import urllib.error
import urllib.request

from .console import Progress, WorkspaceError, say
from .layout import file_sha256

ATTEMPTS = 5
BLOCK = 1 << 18


def fetch(url, target, size, sha256):
    """Download ``url`` to ``target``; nothing is done when it is already there and intact.

    :raises WorkspaceError: the file cannot be fetched, or never has the right checksum
    """
    if target.exists() and target.stat().st_size == size and file_sha256(target) == sha256:
        return
    partial = target.with_name(target.name + ".part")
    problem = "wrong checksum"
    for attempt in range(ATTEMPTS):
        if attempt:
            say(f"  {target.name}: {problem}, trying again")
            time.sleep(2 ** (attempt - 1))
        try:
            _continue_download(url, partial, size)
        except (OSError, ValueError) as error:
            problem = str(getattr(error, "reason", error))
            continue
        if partial.stat().st_size >= size:
            if file_sha256(partial) == sha256:
                partial.replace(target)
                return
            partial.unlink()
            problem = "wrong checksum"
        else:
            problem = "connection closed early"
    raise WorkspaceError(
        f"{target.name} could not be downloaded ({problem}). Is there a network connection?\n"
        f"The next start resumes; a file with the right checksum in {target.parent} also does."
    )


def _continue_download(url, partial, size):
    have = partial.stat().st_size if partial.exists() else 0
    if have > size:
        partial.unlink()
        have = 0
    if have == size:
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=60) as response:
        resumed = response.status == 206
        have = have if resumed else 0
        progress = Progress(partial.name.removesuffix(".part"), size)
        with open(partial, "ab" if resumed else "wb") as stream:
            while block := response.read(BLOCK):
                stream.write(block)
                have += len(block)
                progress.update(have)
