from odoo import api, models

from ..figures.trade_receivable import TRADE_RECEIVABLE_DOMAIN

# Marks Odoo's credit limit as written by the credit file. A request cannot send an object.
FROM_CREDIT_FILE = object()


class ResPartner(models.Model):
    """Odoo's own credit limit of a customer follows its credit file, and the other way round."""

    _inherit = "res.partner"

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS account: the limit of a new customer is set as that of any other
        if self.env.su:
            return super().create(vals_list)
        limits = [vals.get("credit_limit") for vals in vals_list]
        partners = super().create(
            [
                {name: value for name, value in vals.items() if name != "credit_limit"}
                for vals in vals_list
            ]
        )
        for partner, limit in zip(partners, limits, strict=True):
            if limit is not None:
                partner.credit_limit = limit
        return partners

    def write(self, vals):
        # EXTENDS account: a limit that an import or another app writes is a custom limit
        is_own = (
            "credit_limit" in vals
            and self.env.context.get("ar_limit_source") is not FROM_CREDIT_FILE
        )
        limit = vals.get("credit_limit") or 0
        if is_own and not self.env.su:
            # The file has to know what was allowed before.
            self._get_limited_files(limit)
        result = super().write(vals)
        if is_own:
            self._adopt_credit_limit(limit)
        return result

    def _write_credit_limit(self, limit):
        """Write Odoo's own limit, which is not taken for one that somebody set."""
        self.with_context(ar_limit_source=FROM_CREDIT_FILE).credit_limit = limit

    def _get_limited_files(self, limit):
        """The credit files of these customers, made for a limit that is not the default.

        :return: ``(files, whether the limit is the default)``
        """
        files = self.env["ar.credit.file"]
        is_default = limit == (self.env.company.root_id._ar_default_credit_limit() or 0)
        for partner in self.filtered(lambda partner: partner == partner.commercial_partner_id):
            files |= files._get_file(partner, self.env.company, create=not is_default)
        return files, is_default

    def _adopt_credit_limit(self, limit):
        files, is_default = self._get_limited_files(limit)
        for file in files:
            if is_default:
                file.write({"limit_mode": "grade"})
            elif not (file.is_limited and limit == file.effective_limit):
                # Odoo's limit has the cover in it.
                own = max(limit - file.cover_amount, 0)
                file.write({"limit_mode": "custom", "custom_limit": own})

    # Screens

    def _ar_action_open_items(self, company):
        """The unpaid receivable items of the customer in a company and its branches."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Open Items of %s", self.commercial_partner_id.display_name),
            "res_model": "account.move.line",
            "view_mode": "list,form",
            "views": [
                (self.env.ref("ar_collections.account_move_line_view_list_open").id, "list"),
                (False, "form"),
            ],
            "domain": [
                ("partner_id.commercial_partner_id", "=", self.commercial_partner_id.id),
                ("company_id", "child_of", company.id),
                *TRADE_RECEIVABLE_DOMAIN,
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
            ],
            "search_view_id": [
                self.env.ref("ar_collections.account_move_line_view_search_open").id,
                "search",
            ],
            "context": {"create": False},
        }
