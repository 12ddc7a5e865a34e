"""pytest plugin: processes that test in databases of their own share one file store.

After each class Odoo's tests delete the files that their database does not know. Those are the
ones that the other process is using; all of them go with the database of the run anyway.
"""

from odoo.tests.common import TransactionCase


def _keep_files(cls):
    pass


def pytest_collection():
    TransactionCase._gc_filestore = classmethod(_keep_files)
