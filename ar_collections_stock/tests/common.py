from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import new_test_user

from odoo.addons.ar_collections.tests.common import CollectionsCommon


class PickingCommon(CollectionsCommon):
    """A customer who owes something and is on hold, and a storekeeper."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids += cls.env.ref("stock.group_stock_manager")
        cls.warehouse = cls.env["stock.warehouse"].search(
            [("company_id", "=", cls.company.id)], limit=1
        )
        cls.product = cls.env["product.product"].create({"name": "Goods", "type": "consu"})
        cls.customers = cls.env.ref("stock.stock_location_customers")
        cls.suppliers = cls.env.ref("stock.stock_location_suppliers")
        cls.file = cls.env["ar.credit.file"]._get_file(cls.customer, cls.company, create=True)
        cls.keeper = cls._user("keeper", "stock.group_stock_user")
        cls.admin = cls._user("admin2", "account.group_account_manager")
        # Something is open: whoever owes nothing gets no credit by a delivery.
        cls.open_item = cls._invoice(cls.customer, 100, due=30)
        cls.file.sudo()._set_hold("Bankrupt", cls.today)

    @classmethod
    def _user(cls, login, groups):
        return new_test_user(
            cls.env,
            login,
            f"base.group_user,{groups}",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    @classmethod
    def _picking(cls, kind="out", partner=None, destination=None, **values):
        picking_type = cls.warehouse[f"{kind}_type_id"]
        source = picking_type.default_location_src_id
        destination = destination or picking_type.default_location_dest_id
        picking = cls.env["stock.picking"].create(
            {
                "partner_id": (partner or cls.customer).id,
                "picking_type_id": picking_type.id,
                "location_id": source.id,
                "location_dest_id": destination.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": cls.product.id,
                            "product_uom_qty": 2,
                            "location_id": source.id,
                            "location_dest_id": destination.id,
                            "quantity": 2,
                            "picked": True,
                        }
                    )
                ],
                **values,
            }
        )
        picking.action_confirm()
        picking.move_ids.write({"quantity": 2, "picked": True})
        return picking

    def _stopped(self, function):
        with self.assertRaises(UserError) as caught, self.env.cr.savepoint():
            function()
        return str(caught.exception)
