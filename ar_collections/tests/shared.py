"""What all test classes share is made once, in the database that they run in.

A company with its chart of accounts takes seconds to make, and there are many test classes.
``bin/test`` has ``keep`` make it in the database that its clones come from. On any other database
(``odoo-bin --test-tags /ar_collections``) nothing is kept, and each class makes it in its own
transaction, as Odoo's tests do.
"""

import json
from unittest.mock import patch

from odoo import api, models
from odoo.modules.registry import Registry
from odoo.tests import HttpCase
from odoo.tests.common import ChromeBrowser, get_db_name

from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.addons.base.tests.common import BaseCommon

PARAMETER = "ar_collections.test_records"
#: times Odoo's own limits of a browser
PATIENCE = 5
PLAIN = (int, str, type(None))


class Patient:
    """Requests and browsers may take as long as they do on a busy machine."""

    test_cursor_lock_timeout = 120

    @classmethod
    def _be_patient(cls):
        # The browser sets its factor itself: what it waits for is multiplied by it.
        patience = property(lambda browser: PATIENCE, lambda browser, factor: None)
        cls.startClassPatcher(
            patch.object(ChromeBrowser, "throttling_factor", patience, create=True)
        )

    def url_open(self, url, **kwargs):
        return super().url_open(url, **{"timeout": 90, **kwargs})

    def make_jsonrpc_request(self, route, params=None, **kwargs):
        return super().make_jsonrpc_request(route, params, **{"timeout": 90, **kwargs})


class SharedCommon(Patient, AccountTestInvoicingCommon):
    """Odoo's company for accounting tests, and what ``_make_shared_records`` adds to it."""

    @classmethod
    def setUpClass(cls):
        if issubclass(cls, HttpCase):
            cls._be_patient()
        kept = cls._read_kept()
        if not kept:
            super().setUpClass()
            cls._make_shared_records()
            return
        # All that AccountTestInvoicingCommon makes is there: go on behind it.
        super(BaseCommon, cls).setUpClass()
        cls.env = cls.env["base"].with_context(**cls.default_env_context()).env
        cls.env = cls.env(user=kept["uid"])
        cls._restore(kept["attributes"])

    @classmethod
    def _make_shared_records(cls):
        """Extend to make records; they belong into attributes of the class."""

    @classmethod
    def _create_company(cls, **values):
        """A company with its chart; the first one of a test is the one that was kept."""
        spare = getattr(cls, "spare_company", None)
        if not spare or spare.active or set(values) != {"name"}:
            company = super()._create_company(**values)
            if not company.parent_id:
                cls._start_company(company)
            return company
        spare.write({"active": True, **values})
        cls.env.user.company_ids |= spare
        return spare

    @classmethod
    def _start_company(cls, company):
        """A company that sends, and whose stages hold credit by themselves."""
        company.sudo().write(
            {"email": company.email or "office@example.com", "ar_stage_holds": "hold"}
        )
        company._ar_mark_started()
        servers = cls.env["ir.mail_server"].sudo()
        if not servers.search_count([], limit=1):
            servers.create({"name": "Test", "smtp_host": "invalid"})

    @classmethod
    def _make_spare_company(cls):
        company = cls._create_company(name="Spare")
        # So that whoever does not ask for it does not meet it.
        cls.env.user.company_ids -= company
        company.active = False
        cls.spare_company = company

    @classmethod
    def _read_kept(cls):
        with Registry(get_db_name()).cursor() as cr:
            env = api.Environment(cr, api.SUPERUSER_ID, {})
            return json.loads(env["ir.config_parameter"].get_param(PARAMETER, "null"))

    @classmethod
    def keep(cls):
        """Make the shared records and commit them."""
        before = set(cls.__dict__)
        cls.setUpClass()
        cls._make_spare_company()
        try:
            attributes = {
                name: cls._pack(value)
                for name, value in cls.__dict__.items()
                if name not in before
                and not name.startswith(("_", "registry"))
                and cls._is_packable(value)
            }
            kept = {"uid": cls.env.uid, "attributes": attributes}
            cls.env["ir.config_parameter"].sudo().set_param(PARAMETER, json.dumps(kept))
            cls.env.flush_all()
            # The test class has put something in front of its cursor's own method.
            type(cls.cr).commit(cls.cr)
        finally:
            cls.doClassCleanups()

    @classmethod
    def _is_packable(cls, value):
        if isinstance(value, dict):
            return all(isinstance(key, str) for key in value) and all(
                cls._is_packable(each) for each in value.values()
            )
        return isinstance(value, (models.BaseModel, *PLAIN))

    @classmethod
    def _pack(cls, value):
        if isinstance(value, dict):
            return {"dict": {key: cls._pack(each) for key, each in value.items()}}
        if isinstance(value, models.BaseModel):
            return {"model": value._name, "ids": value.ids}
        return {"plain": value}

    @classmethod
    def _restore(cls, attributes):
        for name, packed in attributes.items():
            setattr(cls, name, cls._unpack(packed))

    @classmethod
    def _unpack(cls, packed):
        if "dict" in packed:
            return {key: cls._unpack(each) for key, each in packed["dict"].items()}
        if "model" in packed:
            return cls.env[packed["model"]].browse(packed["ids"])
        return packed["plain"]
