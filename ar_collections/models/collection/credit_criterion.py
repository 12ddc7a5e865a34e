from odoo import api, fields, models
from odoo.tools import SQL

from ..credit.credit_criterion import NOTHING_KNOWN, Metric

NOBODY_ASKED = SQL(
    """%s AND NOT EXISTS (
        SELECT FROM ar_collection_case WHERE file_id = file.id AND state <> 'closed')""",
    NOTHING_KNOWN,
)


class ArCreditCriterion(models.Model):
    """How far the collection of a customer has gone."""

    _inherit = "ar.credit.criterion"

    metric = fields.Selection(
        selection_add=[
            ("collection_stage", "Stage of collection: from 0, no case, to 7, write-off"),
            ("legal", "With a lawyer or in court: 1, else 0"),
            ("limit_use",),
        ]
    )

    @api.model
    def _metric_collection_stage(self):
        kinds = list(self.env["ar.collection.stage"]._get_kinds())
        return Metric(
            SQL(
                """
                COALESCE((
                    SELECT MAX(ARRAY_POSITION(%s, stage.kind::text))
                      FROM ar_collection_case kase
                      JOIN ar_collection_stage stage ON stage.id = kase.stage_id
                     WHERE kase.file_id = file.id AND kase.state <> 'closed'), 0)
                """,
                kinds,
            ),
            NOBODY_ASKED,
        )

    @api.model
    def _metric_legal(self):
        return Metric(
            SQL(
                """
                EXISTS (
                    SELECT FROM ar_collection_case kase
                      JOIN ar_collection_stage stage ON stage.id = kase.stage_id
                     WHERE kase.file_id = file.id AND kase.state <> 'closed'
                       AND stage.kind IN %s)::int
                """,
                tuple(self.env["ar.collection.stage"]._get_legal_kinds()) or ("",),
            ),
            NOBODY_ASKED,
        )
