"""Who may do what over the RPC entry point, kept in ``remote_rights.txt``.

The table has a line for each model of ours, each public method there and on the models that we
extend, and each field that somebody may write. What is new fails until it is listed:
``AR_TEST_RECORD=1 bin/test tests/test_house_rights.py`` writes the file anew; look at each line of
the difference.
"""

import logging
import os
from collections import defaultdict
from pathlib import Path

from odoo import Command
from odoo.exceptions import AccessError, MissingError
from odoo.service.model import call_kw, get_public_method
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from .common import CollectionsCommon

_logger = logging.getLogger(__name__)
TABLE = Path(__file__).parent / "remote_rights.txt"
ROLES = {
    "portal": "base.group_portal",
    "employee": "base.group_user",
    "salesperson": "base.group_user,sales_team.group_sale_salesman",
    "biller": "base.group_user,account.group_account_invoice",
    "accountant": "base.group_user,account.group_account_user",
    "collector": "base.group_user,ar_collections.group_collector",
    "manager": "base.group_user,ar_collections.group_credit_manager",
    "auditor": "base.group_user,ar_collections.group_auditor",
    # Of another company, with all rights there.
    "stranger": "base.group_user,account.group_account_manager",
}
OPERATIONS = ("read", "write", "create", "unlink")
#: of Odoo's own models: an example of each that we add methods or fields to
ODOO = {
    "account.move": "invoice",
    "account.move.line": "item",
    "res.partner": "customer",
    "account.journal": "journal",
    "account.payment.term": "term",
    "account.payment": "payment",
    "res.company": "company",
}


class Undo(Exception):
    """What a call did was only to see whether it may."""


class RemoteCommon(CollectionsCommon):
    """A user of each role, and a record of each model that they may or may not use."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        other = cls.setup_other_company(name="Elsewhere")["company"]
        cls.users = {}
        for role, groups in ROLES.items():
            company = other if role == "stranger" else cls.company
            cls.users[role] = new_test_user(
                cls.env,
                f"rights_{role}",
                groups,
                company_id=company.id,
                company_ids=[Command.set(company.ids)],
            )
        cls.users["portal"].partner_id.parent_id = cls.customer
        cls.invoice = cls._invoice(cls.customer, 1000, due=-40)
        cls.item = cls.invoice.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        cls.journal = cls.company_data["default_journal_sale"]
        cls.term = cls.env["account.payment.term"].search([], limit=1)
        cls.payment = cls.env["account.payment"].create(
            {
                "partner_id": cls.customer.id,
                "amount": 10,
                "payment_type": "inbound",
                "journal_id": cls.company_data["default_journal_bank"].id,
            }
        )
        cls._run(0)
        cls._make_examples()

    @classmethod
    def _make_examples(cls):
        """One record of each model, made by its own means as far as that is short."""
        common = {"partner_id": cls.customer.id, "company_id": cls.company.id}
        plan = cls.env["ar.payment.plan"].create(common)
        plan.action_distribute()
        cls.env["ar.debt.acknowledgement"].create(common)
        cls.env["ar.placement"].create({**common, "kind": "agency"})
        cls.env["ar.collection.action"].create(
            {
                **common,
                "case_id": cls._case(cls).id,
                "channel": "call",
                "date_planned": cls.today,
            }
        )
        cls.env["ar.credit.statement"].create(
            {"file_id": cls.customer.credit_file_id.id, "year": 2029}
        )
        cls.env["ar.credit.bank.line"].create(
            {
                "file_id": cls.customer.credit_file_id.id,
                "bank_id": cls.env["res.bank"].create({"name": "Bank"}).id,
                "amount": 1,
            }
        )
        rating = cls.env["ar.credit.criterion"].search([("kind", "=", "rating")], limit=1)
        cls.env["ar.credit.outlook"].create(
            {
                "criterion_id": rating.id,
                "option_id": rating.band_ids[:1].id,
                "country_id": cls.env.ref("base.cl").id,
                "company_id": cls.company.id,
            }
        )
        reason = cls.env["ar.writeoff.reason"].search([], limit=1)
        cls.env["ar.writeoff.request"]._create_for_items(cls.item, reason)
        cls.env["ar.writeoff.delegation"].create(
            {
                "user_id": cls.users["manager"].id,
                "delegate_id": cls.users["collector"].id,
                "date_to": cls.today,
            }
        )
        cls.examples, cls.making = {}, []
        for name in sorted(cls.env.registry):
            model = cls.env[name].sudo()
            if name.startswith("ar.") and not model._abstract:
                cls._get_example(name)

    @classmethod
    def _get_example(cls, name):
        """A record of the customer's company, or a row that has what the table asks for."""
        if name not in cls.examples:
            model = cls.env[name].sudo().with_context(active_test=False)
            domain = []
            if "company_id" in model._fields and model._fields["company_id"].store:
                domain = [("company_id", "=", cls.company.id)]
            found = model.search(domain, limit=1, order="id desc")
            cls.making.append(name)
            # Of reports, which are no tables, the rights on the model are enough.
            cls.examples[name] = found or (cls._insert(model) if model._auto else model)
            cls.making.pop()
        return cls.examples[name]

    @classmethod
    def _insert(cls, model):
        cls.env.flush_all()
        cls.env.cr.execute(
            """
            SELECT column_name, is_nullable = 'NO' FROM information_schema.columns
             WHERE table_name = %s AND column_name <> 'id' AND column_default IS NULL
            """,
            [model._table],
        )
        values = {}
        for column, needed in cls.env.cr.fetchall():
            field = model._fields.get(column)
            if field and (value := cls._get_value(model, field, needed)) is not None:
                values[column] = value
        columns = ", ".join(f'"{column}"' for column in values)
        cls.env.cr.execute(
            f'INSERT INTO "{model._table}" ({columns}) '
            f"VALUES ({', '.join(['%s'] * len(values))}) RETURNING id"
            if values
            else f'INSERT INTO "{model._table}" DEFAULT VALUES RETURNING id',
            list(values.values()),
        )
        record = model.browse(cls.env.cr.fetchone()[0])
        for field in model._fields.values():
            if field.type == "many2many" and field.store and (target := cls._get_target(field)):
                cls.env.cr.execute(
                    f'INSERT INTO "{field.relation}" ("{field.column1}", "{field.column2}") '
                    "VALUES (%s, %s) ON CONFLICT DO NOTHING",
                    [record.id, target.id],
                )
        return record

    @classmethod
    def _get_target(cls, field):
        """What an example is about: the customer's, as far as it is there."""
        known = {
            "res.company": cls.company,
            "res.currency": cls.company.currency_id,
            "account.move.line": cls.item,
        }
        if field.comodel_name.startswith("ar.") and field.comodel_name not in cls.making:
            return cls._get_example(field.comodel_name)
        return cls.customer if field.name == "partner_id" else known.get(field.comodel_name)

    @classmethod
    def _get_value(cls, model, field, needed):
        if field.type == "many2one":
            target = cls._get_target(field)
            if needed and not target:
                target = cls.env[field.comodel_name].sudo().search([], limit=1)
            return target.id if target else None
        return cls._get_filler(model, field) if needed else None

    @classmethod
    def _get_filler(cls, model, field):
        if field.type == "selection":
            return field.get_values(cls.env)[0]
        if field.type in ("date", "datetime"):
            return cls.today
        if field.name in ("res_model", "res_id"):
            return {"res_model": cls.invoice._name, "res_id": cls.invoice.id}[field.name]
        if field.type in ("integer", "float", "monetary"):
            return 1
        if field.type == "json":
            return "[]"
        if field.type == "boolean":
            return False
        if field.translate:
            return '{"en_US": "x"}'
        return "x"

    # Calls

    def _may(self, user, model, method, *args):
        """Whether a user passes the rights of a method; what the method does is undone."""
        passed = True
        try:
            with self.env.cr.savepoint(), mute_logger("odoo.addons.base.models.ir_model"):
                records = self.env(user=user, su=False)[model]
                result = call_kw(records, method, list(args), {})
                passed = result is not False or method != "has_access"
                raise Undo
        except (AccessError, MissingError):
            passed = False
        except Exception as refused:  # noqa: BLE001 (for what it is, not for who asks)
            _logger.debug("%s.%s: %s", model, method, refused)
        self.env.invalidate_all()
        return passed

    def _lend(self, record, user):
        """Wizards are of who opened them."""
        if record._transient:
            self.env.flush_all()
            self.env.cr.execute(
                f'UPDATE "{record._table}" SET create_uid = %s WHERE id = %s', [user.id, record.id]
            )
            self.env.invalidate_all()

    def _get_examples(self):
        odoo = {name: getattr(self, attribute) for name, attribute in ODOO.items()}
        return {**self.examples, **odoo}

    def _get_methods(self, model):
        """The public methods that we define on a model, without those of the ORM."""
        orm = {name for name in dir(self.env["base"]) if not name.startswith("_")}
        found = set()
        for part in type(model).__mro__:
            if part.__module__.startswith("odoo.addons.ar_collections."):
                found |= {
                    name
                    for name, value in vars(part).items()
                    if callable(value) and not name.startswith("_") and name not in orm
                }
        for name in sorted(found):
            try:
                get_public_method(model, name)
            except (AccessError, AttributeError):
                continue
            yield name


class TestRemoteRights(RemoteCommon):
    def _get_writable(self, model):
        """Our fields that are not readonly for everybody."""
        for name, field in sorted(model._fields.items()):
            if field._module == "ar_collections" and not field.readonly:
                yield name

    def _get_writers(self, record):
        """``{roles: fields that they write}``"""
        values = {
            name: record._fields[name].convert_to_write(record[name], record)
            for name in self._get_writable(record)
        }
        # Who may not write the record is tried once, with all fields together.
        candidates = {
            role: user
            for role, user in self.users.items()
            if self._may(user, record._name, "has_access", record.ids, "write")
            or self._may(user, record._name, "write", record.ids, values)
        }
        fields = defaultdict(list)
        for name, value in values.items():
            fields[self._get_roles(record, "write", {name: value}, users=candidates)].append(name)
        return fields

    def _describe(self):
        lines = []
        for name, record in sorted(self._get_examples().items()):
            record = record.sudo().with_env(self.env(su=True))
            if name.startswith("ar."):
                for operation in OPERATIONS:
                    roles = self._get_roles(record, "has_access", operation)
                    lines.append(f"{name} {operation}: {roles}")
            for roles, names in sorted(self._get_writers(record).items()):
                lines.append(f"{name} fields of {roles}: {' '.join(names)}")
            for method in self._get_methods(record):
                args = [] if getattr(getattr(type(record), method), "_api_model", False) else None
                roles = self._get_roles(record, method, with_ids=args is None)
                lines.append(f"{name}.{method}(): {roles}")
        return "\n".join([*lines, ""])

    def _get_roles(self, record, method, *args, with_ids=True, users=None):
        roles = []
        for role, user in (self.users if users is None else users).items():
            self._lend(record, user)
            ids = [record.ids] if with_ids else []
            if self._may(user, record._name, method, *ids, *args):
                roles.append(role)
        return " ".join(roles) or "nobody"

    def test_table_is_kept(self):
        found = self._describe()
        if os.environ.get("AR_TEST_RECORD"):
            TABLE.write_text(found)
        kept = TABLE.read_text()
        self.maxDiff = None
        self.assertEqual(
            kept.splitlines(), found.splitlines(), "intended? see the head of the file"
        )

    def test_every_model_is_in_the_table(self):
        told = {line.split(" ")[0].split(":")[0] for line in TABLE.read_text().splitlines()}
        for name in self.env.registry:
            model = self.env[name]
            if name.startswith("ar.") and not model._abstract and model._module == "ar_collections":
                self.assertIn(name, told)
