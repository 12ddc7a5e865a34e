from odoo import models
from odoo.tools import SQL

from ..credit.credit_score import Source


class ArCreditCriterion(models.Model):
    """What somebody saw on a visit rates the customer."""

    _inherit = "ar.credit.criterion"

    def _get_known(self, files, date):
        # EXTENDS ar_collections: the last visit that was rated
        self.env["ar.collection.action"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
            SELECT DISTINCT ON (file.id, band.criterion_id)
                   file.id, band.criterion_id, band.id, visit.date_done
              FROM ar_credit_file file
              JOIN ar_collection_action visit ON visit.partner_id = file.partner_id
                                             AND visit.company_id = file.company_id
              JOIN ar_credit_criterion_band band ON band.id = visit.visit_option_id
             WHERE file.id IN %(files)s AND visit.state = 'done' AND visit.date_done <= %(date)s
             ORDER BY file.id, band.criterion_id, visit.date_done DESC, visit.id DESC
            """,
                files=tuple(files.ids) or (0,),
                date=date,
            )
        )
        visits = {
            (file_id, criterion_id): (None, option_id, Source("visit", done))
            for file_id, criterion_id, option_id, done in rows
        }
        return {**super()._get_known(files, date), **visits}
