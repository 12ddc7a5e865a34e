"""Databases: templates that are built once, clones of them that take a second.

A database is built under the name ``new_...`` and renamed when it is complete, so one that an
interruption left behind is never used. What it was built from is kept in its comment.
"""

import contextlib
import os
import re
import shutil
from pathlib import Path

from .console import WorkspaceError, stage
from .layout import (
    ADDON,
    LANGUAGE,
    ROOT,
    addons,
    addons_fingerprint,
    digest,
    exclusive,
    file_sha256,
    foreign_depends,
)
from .session import remove_filestore

#: the first one becomes everybody's language
LOADED = f"en_US,{LANGUAGE}"
TEMPLATE = "ar_tpl_"
READY = "ar_ready_"
PREPARED = "ar_prepared_"
INSTALL = ("--stop-after-init", "--no-http", "--log-level=warn")
#: bundles made inside a test are rolled back with it, and each browser test would make them again
ASSETS_SCRIPT = """
qweb = env["ir.qweb"]
for bundle in ("web.assets_web", "web.assets_tests", "web.assets_frontend"):
    qweb._get_asset_bundle(bundle, css=False, js=True).js()
    qweb._get_asset_bundle(bundle, css=True, js=False).css()
env.cr.commit()
"""
#: what all test classes share, and the files that say what that is
SHARED_RECORDS = (f"{ADDON}/tests/shared.py", f"{ADDON}/tests/common.py")
SHARED_RECORDS_SCRIPT = """
import odoo.modules.module
odoo.modules.module.current_test = True
from odoo.addons.ar_collections.tests.common import CollectionsCommon
CollectionsCommon.keep()
"""


def names(session):
    return session.sql("SELECT datname FROM pg_database").split()


def create_empty(session, name):
    """An empty database as Odoo wants it; when Odoo creates it itself it logs errors about
    extensions that the private server does not have."""
    session.sql(f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'")


def drop(session, name):
    session.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    remove_filestore(session, name)


def clone(session, source, target):
    """Copy a database that nobody is connected to; the files of both are hard links."""
    drop(session, target)
    session.sql(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')
    if session.filestore(source).exists():
        shutil.copytree(session.filestore(source), session.filestore(target), copy_function=os.link)


def rename(session, old, new):
    """The file store moves first: the new name of the database says that all is complete."""
    remove_filestore(session, new)
    if session.filestore(old).exists():
        session.filestore(old).rename(session.filestore(new))
    session.sql(f'ALTER DATABASE "{old}" RENAME TO "{new}"')


def _signature(session):
    """Another checkout may use the same server; the files of its databases are not here."""
    return f"ar_collections workspace {digest(session.data_dir)} "


def mark(session, name, text):
    session.sql(f"COMMENT ON DATABASE \"{name}\" IS '{_signature(session)}{text}'")


def marked(session, name):
    """What ``mark`` has written; None when the database is not ours."""
    comment = session.sql(
        f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{name}'"
    )
    signature = _signature(session)
    return comment.removeprefix(signature) if comment.startswith(signature) else None


@contextlib.contextmanager
def building(session, name):
    """Yield a temporary name; the database gets its real one when the block succeeds."""
    new = f"new_{name}"
    drop(session, new)
    yield new
    rename(session, new, name)


def _template_kind(demo):
    return f"{TEMPLATE} {demo}"


def ensure_template(session, demo=False):
    """A database with everything our addons depend on, and without them."""
    depends = foreign_depends()
    name = TEMPLATE + digest(session.odoo_sha256, session.data_dir, depends, LOADED, demo, 1)
    kind = _template_kind(demo)
    # A lock of its own: both kinds may be made at the same time.
    with exclusive("template-demo" if demo else "template"):
        if name in names(session):
            return name
        what = f"template database: {', '.join(depends)}{' with demo data' if demo else ''} (once)"
        with stage(what, ticking=True), building(session, name) as new:
            create_empty(session, new)
            mark(session, new, kind)
            options = ["--with-demo"] if demo else []
            modules = ",".join(depends)
            session.odoo_quietly(
                "-d", new, "-i", modules, f"--load-language={LOADED}", *INSTALL, *options
            )
        _remove_former(session, kind, name)
    return name


def ensure_ready(session, demo=False):
    """A database with our addons as they are now, to be cloned; web assets are made."""
    template = ensure_template(session, demo)
    name = READY + digest(template, addons_fingerprint())
    with exclusive("databases"):
        if name in names(session):
            return name
        with stage("installing the addon", ticking=True), building(session, name) as new:
            clone(session, template, new)
            mark(session, new, f"{READY} {demo}")
            install(session, new)
        _remove_former(session, f"{READY} {demo}", name)
    return name


def ensure_prepared(session):
    """A ready database that holds the records which all test classes share."""
    ready = ensure_ready(session)
    files = (file_sha256(ROOT / path) for path in SHARED_RECORDS)
    name = PREPARED + digest(ready, *files, SHARED_RECORDS_SCRIPT)
    with exclusive("databases"):
        if name in names(session):
            return name
        with stage("company for the tests", ticking=True), building(session, name) as new:
            clone(session, ready, new)
            mark(session, new, PREPARED)
            run_script(session, new, SHARED_RECORDS_SCRIPT)
        _remove_former(session, PREPARED, name)
    return name


def install(session, name):
    modules = ",".join(addons())
    session.odoo_quietly("-d", name, "-i", modules, *INSTALL)
    make_assets(session, name)


def make_assets(session, name):
    run_script(session, name, ASSETS_SCRIPT)


def run_script(session, name, script):
    session.odoo_quietly("shell", "-d", name, "--no-http", "--log-level=warn", input=script)


def ensure_database(session, name, demo=False, fresh=False):
    """Make sure that a database with the present addons exists, and return its name.

    An existing one is kept with its contents and updated when the addons have changed.

    :param demo: with Odoo's and our demo data (only for a new database)
    :param fresh: replace an existing one
    """
    current = addons_fingerprint()
    if name in names(session):
        known = marked(session, name)
        if known is None:
            raise WorkspaceError(f"a database {name} exists that this workspace has not made")
        if not fresh and known == current:
            return name
        if not fresh:
            update(session, name, current)
            return name
    ready = ensure_ready(session, demo)
    with exclusive("databases"):
        drop(session, name)
        with building(session, name) as new:
            clone(session, ready, new)
            mark(session, new, current)
    return name


def update(session, name, fingerprint):
    modules = ",".join(addons())
    with stage(f"updating the addon in {name}", ticking=True):
        session.odoo_quietly("-d", name, "-i", modules, "-u", modules, "--i18n-overwrite", *INSTALL)
        make_assets(session, name)
    mark(session, name, fingerprint)


@contextlib.contextmanager
def temporary_clone(session, source):
    """A clone for this process alone."""
    _remove_leftovers(session)
    name = f"ar_test_{os.getpid()}"
    with exclusive("databases"):
        clone(session, source, name)
    try:
        yield name
    finally:
        drop(session, name)
        _remove_leftovers(session, own=True)


def _remove_leftovers(session, own=False):
    """Databases of killed test runs; their names end with the number of the process."""
    for name in names(session):
        found = re.fullmatch(r"ar_(?:test|life)_(\d+)(-gw\d+)?", name)
        if not found:
            continue
        mine = own and int(found[1]) == os.getpid()
        if mine or not Path("/proc", found[1]).exists():
            drop(session, name)


def _remove_former(session, kind, current):
    """Drop former builds of the same kind and half-built ones (the caller holds the lock).

    Not on a server that others may use as well.
    """
    if not session.private_server:
        return
    for name in names(session):
        built = name.removeprefix("new_").startswith((TEMPLATE, READY, PREPARED))
        if built and name != current and marked(session, name) == kind:
            drop(session, name)
