"""Indexes of the ledger are no longer Odoo's to remove with the update."""

from odoo.tools import SQL

INDEXES = ("account_move_ar_draft_idx", "sale_order_ar_open_idx")


def migrate(cr, version):
    cr.execute(
        SQL(
            """
            WITH forgotten AS (
                DELETE FROM ir_model_constraint WHERE name IN %s RETURNING id
            )
            DELETE FROM ir_model_data
             USING forgotten
             WHERE model = 'ir.model.constraint' AND res_id = forgotten.id
            """,
            INDEXES,
        )
    )
