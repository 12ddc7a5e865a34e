"""Put Debian's Odoo into a virtual environment, and mend what Debian left out."""

import re
import shlex
import subprocess

from .console import say
from .layout import CACHE, LANGUAGES

SOURCE = "./usr/lib/python3/dist-packages"
SELFIE = "odoo/addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"


def unpack(packages, venv, site):
    """Unpack Odoo (first package) into ``site`` and what it links to into ``venv``/share."""
    odoo, *companions = packages
    # The package also has Python-only copies and the translations to 90 languages: leave them out.
    wanted = f"{SOURCE}/odoo {SOURCE}/odoo-19.0.egg-info"
    _extract(odoo, site, 5, f"--exclude='*.po' {wanted}")
    if LANGUAGES:
        translations = " ".join(f"'{SOURCE}/odoo/*/{language}.po'" for language in LANGUAGES)
        _extract(odoo, site, 5, f"--wildcards {translations}")
    for package in companions:
        folders = "--exclude=./usr/share/doc --exclude=./usr/share/bug ./usr/share"
        _extract(package, venv, 2, folders)
    _mend(venv, site)


def _extract(package, target, strip, selection):
    deb = shlex.quote(str(CACHE / package["file"]))
    tar = f"tar -x -C {shlex.quote(str(target))} --strip-components={strip} {selection}"
    script = f"set -o pipefail; dpkg-deb --fsys-tarfile {deb} | {tar}"
    subprocess.run(["bash", "-c", script], check=True, capture_output=True)


def _mend(venv, site):
    inconsolata = venv / "share/fonts/truetype/inconsolata/Inconsolata.otf"
    if not inconsolata.exists():  # Debian's own link points to the file's former name
        inconsolata.parent.mkdir(parents=True, exist_ok=True)
        inconsolata.symlink_to("../../opentype/inconsolata/Inconsolata-Regular.otf")
    selfie = site / SELFIE
    if not selfie.exists():  # not free, but listed in the backend's assets: tours fail without it
        selfie.parent.mkdir(parents=True, exist_ok=True)
        selfie.write_text("/* not shipped by Debian; blurs the background of video calls */\n")
    for name in ("requires.txt", "PKG-INFO"):  # say what is really installed, or pip adds more
        path = site / "odoo-19.0.egg-info" / name
        text = re.sub(r"\bPyPDF2\b", "pypdf", path.read_text())
        text = re.sub(r"(?m)^((?:Requires-Dist: )?)psycopg2\b.*$", r"\1psycopg2-binary", text)
        path.write_text(text)
    dangling = [p for p in (site / "odoo").rglob("*") if p.is_symlink() and not p.exists()]
    if dangling:
        say("NOTE: links without target in Debian's Odoo:", *dangling)
