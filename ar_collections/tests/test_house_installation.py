"""What installing does to a ledger in use, as far as it can be seen inside a transaction."""

from odoo.tests import tagged

from odoo.addons.ar_collections.hooks import LEDGER_COLUMNS, post_init_hook

from .common import CollectionsCommon


@tagged("post_install", "-at_install")
class TestInstallation(CollectionsCommon):
    def _limits(self, count):
        """Customers who owe nothing and have a credit limit in Odoo, but no file yet."""
        customers = (
            self.env["res.partner"]
            .sudo()
            .create(
                [
                    {"name": f"Limited {index}", "credit_limit": 100 + index}
                    for index in range(count)
                ]
            )
        )
        files = self.env["ar.credit.file"].sudo().search([("partner_id", "in", customers.ids)])
        files.history_ids.sudo().unlink()
        files.sudo().unlink()
        return customers

    def _install(self):
        """Queries of the hook."""
        self.env.flush_all()
        queries = self.env.cr.sql_log_count
        post_init_hook(self.env(su=True))
        return self.env.cr.sql_log_count - queries

    def test_customers_with_a_limit_have_a_file(self):
        customers = self._limits(3)
        self._install()
        files = self.env["ar.credit.file"].search([("partner_id", "in", customers.ids)])
        self.assertEqual(sorted(files.mapped("custom_limit")), [100, 101, 102])
        self.assertEqual(set(files.mapped("limit_mode")), {"custom"})
        self.assertEqual(sorted(files.mapped("effective_limit")), [100, 101, 102])
        self.assertEqual(customers.mapped("credit_limit"), [100, 101, 102])
        self.assertEqual(len(files.history_ids), 3)

    def test_many_customers_take_no_more_queries(self):
        self._limits(2)
        few = self._install()
        self._limits(200)
        self.assertLessEqual(self._install(), few + 5)

    def test_the_columns_of_the_ledger_are_added_before(self):
        for table, columns in LEDGER_COLUMNS.items():
            model = self.env[table.replace("_", ".")]
            stored = {
                name: field.column_type[0]
                for name, field in model._fields.items()
                if name.startswith("ar_") and field.store and field.column_type
            }
            self.assertEqual(columns, stored, table)
