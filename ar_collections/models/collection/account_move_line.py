from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import format_date, formatLang, plaintext2html

from ..figures.trade_receivable import TRADE_RECEIVABLE_DOMAIN, is_trade_receivable

# What is known of an exclusion: all of it goes when the item is asked for again.
EXCLUSION = (
    "ar_exclusion_reason",
    "ar_exclusion_end",
    "ar_exclusion_user_id",
    "ar_exclusion_asked",
)
ACTIVITY = "ar_collections.activity_exclusion"


class AccountMoveLine(models.Model):
    """Items that nobody asks for: why, until when and by whom.

    Odoo's switch decides whether an item is asked for. It sets the switch by itself on the items
    of general journals, opening balances among them, and others may set it by import. Such an item
    has no reason and no end: nobody has decided, and the collector is asked to.
    """

    _inherit = "account.move.line"

    ar_exclusion_reason = fields.Char(string="Excluded Because", readonly=True, copy=False)
    ar_exclusion_end = fields.Date(
        string="Excluded Until",
        readonly=True,
        copy=False,
        help="On this day the item is asked for again.",
    )
    ar_exclusion_user_id = fields.Many2one(
        "res.users", string="Excluded By", readonly=True, copy=False
    )
    ar_exclusion_asked = fields.Date(
        string="Decision Asked For",
        readonly=True,
        copy=False,
        help="When somebody was asked to decide whether the item is to be excluded.",
    )
    ar_exclusion = fields.Selection(
        [("open", "Not decided"), ("decided", "Decided")],
        string="Exclusion",
        compute="_compute_ar_exclusion",
    )

    @api.depends("no_followup", "ar_exclusion_end")
    def _compute_ar_exclusion(self):
        for line in self:
            decided = "decided" if line.ar_exclusion_end else "open"
            line.ar_exclusion = line.no_followup and decided

    # CRUD

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS account
        names = {name for vals in vals_list for name in EXCLUSION if vals.get(name)}
        self._check_exclusion_fields(
            names | {name for name in EXCLUSION if f"default_{name}" in self.env.context}
        )
        return super().create(vals_list)

    def write(self, vals):
        # EXTENDS account: who asks again has ended the exclusion, by whatever switch
        self._check_exclusion_fields(vals.keys() & set(EXCLUSION))
        result = super().write(vals)
        if "no_followup" in vals and not vals["no_followup"]:
            ended = self.sudo().filtered(lambda line: any(line[name] for name in EXCLUSION))
            ended.write(dict.fromkeys(EXCLUSION, False))
        return result

    @api.model
    def _check_exclusion_fields(self, names):
        if names and not self.env.su:
            raise AccessError(
                self.env._(
                    "Exclude an item from follow-up by the button of the open items: it asks for "
                    "the reason and the end."
                )
            )

    # Exclude and ask again

    @api.readonly
    def action_exclude_from_followup(self):
        """Ask for the reason and the end."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Exclude from Follow-up"),
            "res_model": "ar.collection.exclusion",
            "view_mode": "form",
            "target": "new",
            "context": {"default_line_ids": self.ids},
        }

    def action_ask_again(self):
        """End the exclusion: the items are asked for from now on."""
        self._check_may_exclude()
        # Collectors decide what is asked for without rights on journal entries.
        excluded = self._get_with_instalments().sudo().filtered("no_followup")
        excluded.no_followup = False
        excluded._log_on_files(self.env._("Asked for again: %s"))

    def _exclude_until(self, reason, end):
        """Keep open items out of what is asked for, with the other instalments of their invoices.

        :param end: the day on which the daily run asks for them again
        """
        self._check_may_exclude()
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Write down why the items are excluded."))
        lines = self._get_with_instalments()
        if any(
            line.reconciled
            or line.parent_state != "posted"
            or line.amount_residual <= 0
            or not is_trade_receivable(line)
            for line in self
        ):
            raise UserError(self.env._("Only open items of customers can be excluded."))
        for company in lines.company_id.root_id:
            self._check_end(company, end)
        # Collectors decide what is asked for without rights on journal entries.
        lines.sudo().write(
            {
                "no_followup": True,
                "ar_exclusion_reason": reason,
                "ar_exclusion_end": end,
                "ar_exclusion_user_id": self.env.uid,
                "ar_exclusion_asked": False,
            }
        )
        lines._log_on_files(
            self.env._(
                "Excluded from follow-up until %(date)s: %(items)s. %(reason)s",
                date=format_date(self.env, end),
                items="%s",
                reason=reason.replace("%", "%%"),
            )
        )

    def _check_may_exclude(self):
        if not self.env.user.has_group("ar_collections.group_collector"):
            raise AccessError(self.env._("Only collectors decide which items are asked for."))
        self.check_access("read")

    @api.model
    def _check_end(self, company, end):
        """Nothing is excluded for ever; a credit manager answers for more than is usual."""
        today = company._ar_today()
        if end <= today:
            raise UserError(self.env._("An exclusion ends in the future."))
        latest = today + timedelta(days=company.ar_exclusion_days)
        if end > latest and not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise UserError(
                self.env._(
                    "You can exclude items until %s. A credit manager can exclude them for longer.",
                    format_date(self.env, latest),
                )
            )

    def _get_with_instalments(self):
        """Odoo's switch is one for all instalments of an invoice: so is what is known of it."""
        invoices = self.move_id.filtered(lambda move: move.is_invoice())
        return self | invoices.line_ids.filtered(is_trade_receivable)

    def _log_on_files(self, text):
        """Write a note on the credit files of the customers.

        :param text: with ``%s`` for the items
        """
        files = self._get_files()
        bodies = {
            files[key].id: text % lines._format_items()
            for key, lines in self._group_by_customer().items()
            if key in files
        }
        # Who may exclude an item may have it noted.
        self.env["ar.credit.file"].sudo().browse(bodies)._message_log_batch(bodies)

    def _group_by_customer(self):
        """``{(root company, customer): items}``"""
        return self.grouped(
            lambda line: (line.company_id.root_id, line.partner_id.commercial_partner_id)
        )

    def _get_files(self):
        """``{(root company, customer): ar.credit.file}``"""
        files = (
            self.env["ar.credit.file"]
            .sudo()
            .search(
                [
                    ("company_id", "in", self.company_id.root_id.ids),
                    ("partner_id", "in", self.partner_id.commercial_partner_id.ids),
                ]
            )
        )
        return {(file.company_id, file.partner_id): file for file in files}

    def _format_items(self):
        """For example ``INV/1 (100.00 $), MISC/2 (50.00 $)``."""
        return ", ".join(
            f"{line.move_name} "
            f"({formatLang(self.env, line.amount_residual, currency_obj=line.company_currency_id)})"
            for line in self
            if line.amount_residual
        )

    # Daily

    @api.model
    def _get_excluded_domain(self, date=None):
        """Open items of customers that are excluded.

        :param date: only those that are overdue on this day
        """
        domain = Domain(TRADE_RECEIVABLE_DOMAIN) & Domain(
            [
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
                ("amount_residual", ">", 0),
                ("no_followup", "=", True),
            ]
        )
        if date:
            undated = Domain("date_maturity", "=", False) & Domain("date", "<", date)
            domain &= Domain("date_maturity", "<", date) | undated
        return domain

    @api.model
    def _end_exclusions(self, company, date):
        """Ask again for items whose exclusion ends, and tell the collectors."""
        ended = self.search(
            [
                ("ar_exclusion_end", "<=", date),
                ("company_id", "child_of", company.id),
                ("no_followup", "=", True),
            ]
        )
        if not ended:
            return
        reasons = {line.id: line.ar_exclusion_reason for line in ended}
        ended.no_followup = False
        still_open = ended.filtered("amount_residual")
        still_open._log_on_files(self.env._("The exclusion has ended, asked for again: %s"))
        self._tell_collectors(
            date,
            {
                key: (
                    self.env._("Excluded items are asked for again"),
                    "\n".join(f"{line._format_items()}: {reasons[line.id]}" for line in lines),
                )
                for key, lines in still_open._group_by_customer().items()
            },
        )

    @api.model
    def _ask_to_decide(self, company, date):
        """Ask the collectors about overdue items that are excluded without anybody's decision.

        Once for all items of a customer, and again when as many days have passed as an exclusion
        usually lasts.
        """
        again = date - timedelta(days=company.ar_exclusion_days)
        lines = self.search(
            self._get_excluded_domain(date)
            & Domain("company_id", "child_of", company.id)
            & Domain("ar_exclusion_end", "=", False)
            & Domain("partner_id", "!=", False)
            & (Domain("ar_exclusion_asked", "=", False) | Domain("ar_exclusion_asked", "<=", again))
        )
        if not lines:
            return
        insiders = self.env["ar.position"]._get_insiders()
        lines = lines.filtered(lambda line: line.partner_id.commercial_partner_id not in insiders)
        lines.ar_exclusion_asked = date
        self._tell_collectors(
            date,
            {
                key: (
                    self.env._("Overdue, but not asked for: decide"),
                    self.env._(
                        "Nobody has decided that these items are excluded from follow-up: %s. Ask "
                        "for them again, or give a reason and an end.",
                        items._format_items(),
                    ),
                )
                for key, items in lines._group_by_customer().items()
            },
        )

    @api.model
    def _tell_collectors(self, date, texts):
        """One activity per customer, unless there is one that is not done yet.

        :param texts: ``{(root company, customer): (summary, note)}``
        """
        activities = self.env["mail.activity"]
        type_id = self.env["ir.model.data"]._xmlid_to_res_id(ACTIVITY)
        companies = defaultdict(list)
        for company, partner in texts:
            companies[company].append(partner.id)
        vals_list = []
        for company, partner_ids in companies.items():
            files = self.env["ar.credit.file"].search(
                [("company_id", "=", company.id), ("partner_id", "in", partner_ids)]
            )
            told = activities.search(
                [
                    ("res_model", "=", files._name),
                    ("res_id", "in", files.ids),
                    ("activity_type_id", "=", type_id),
                ]
            ).mapped("res_id")
            cases = self.env["ar.collection.case"].search(
                [("file_id", "in", files.ids), ("state", "!=", "closed")]
            )
            collectors = {case.file_id: case.collector_id for case in cases}
            files = files.filtered(lambda file, told=told: file.id not in told)
            responsible = self.env["res.users"]._ar_get_responsible(
                company,
                {
                    file: collectors.get(file, file.collector_id)
                    | file.collector_id
                    | file.partner_id.user_id
                    for file in files
                },
            )
            for file in files:
                summary, note = texts[company, file.partner_id]
                vals_list.append(
                    {
                        "res_model_id": self.env["ir.model"]._get_id(files._name),
                        "res_id": file.id,
                        "activity_type_id": type_id,
                        "automated": True,
                        "summary": summary,
                        "note": plaintext2html(note),
                        "date_deadline": date,
                        "user_id": responsible[file].id or self.env.uid,
                    }
                )
        activities.with_context(mail_activity_quick_update=True).create(vals_list)
