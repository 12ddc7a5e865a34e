from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

ACTIVITY = "ar_collections.activity_terms"
# So many items have to be settled before anybody knows how a customer pays.
LEAST_SETTLED = 3


class ArCreditOffered(models.AbstractModel):
    """Better payment terms that a customer has earned: part of the credit file.

    The system proposes what the grade says, a credit manager decides.
    """

    _name = "ar.credit.offered"
    _description = "Better Terms That Can Be Offered"

    offered_term_id = fields.Many2one(
        "account.payment.term",
        string="Proposed Payment Term",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="What the grade proposes to a customer of low risk; a credit manager decides.",
    )
    terms_declined_on = fields.Date(
        string="Better Terms Declined On",
        readonly=True,
        help="They are proposed again when the days of the settings are over.",
    )
    payment_term_id = fields.Many2one(
        "account.payment.term", string="Payment Term So Far", compute="_compute_payment_term_id"
    )

    @api.depends("partner_id.property_payment_term_id", "company_id")
    def _compute_payment_term_id(self):
        for company, files in self.grouped("company_id").items():
            for file in files:
                partner = file.partner_id.sudo().with_company(company)
                file.payment_term_id = partner.property_payment_term_id

    def action_accept_terms(self):
        """Give the customers the payment term that is proposed.

        :raises UserError: the customer has not earned it any more
        """
        self._check_manager()
        self.check_access("write")
        for company, files in self.sudo().filtered("offered_term_id").grouped("company_id").items():
            earned = self.env["ar.credit.offer"]._find_earned(company, company._ar_today(), files)
            for file in files:
                if earned.get(file.id) != file.offered_term_id:
                    raise UserError(
                        self.env._(
                            "%s has not earned the proposed payment term any more.",
                            file.partner_id.display_name,
                        )
                    )
                file._give_terms(file.offered_term_id)

    def action_decline_terms(self):
        """Leave the terms as they are, and do not ask again for the days of the settings."""
        self._check_manager()
        self.check_access("write")
        for company, files in self.sudo().filtered("offered_term_id").grouped("company_id").items():
            files._message_log_batch(
                bodies={
                    file.id: self.env._(
                        "Better terms declined: %s", file.offered_term_id.display_name
                    )
                    for file in files
                }
            )
            files.terms_declined_on = company._ar_today()
            files._withdraw_terms()

    def _give_terms(self, term):
        """Set the payment term of the customer in the company and its branches."""
        self.ensure_one()
        former = self.payment_term_id
        for company in self.company_id._ar_get_tree():
            self.partner_id.with_company(company).property_payment_term_id = term
        body = self.env._(
            "Payment term %(term)s instead of %(former)s, as the grade proposes.",
            term=term.display_name,
            former=former.display_name or self.env._("none"),
        )
        self._message_log(body=body)
        self.partner_id._message_log(body=body)
        self.terms_declined_on = False
        self._withdraw_terms()

    def _withdraw_terms(self):
        """Nothing is proposed any more."""
        self.offered_term_id = False
        self.activity_unlink([ACTIVITY])


class ArCreditOffer(models.AbstractModel):
    """Proposes better payment terms to customers of low risk, as their grades say."""

    _name = "ar.credit.offer"
    _description = "Proposal of Better Terms"

    @api.model
    def _propose_terms(self, company, date):
        """Propose what customers have earned, once each; take back what they have not any more.

        :param company: root company
        """
        files = self.env["ar.credit.file"]
        earned = self._find_earned(company, date)
        offered = files.search([("company_id", "=", company.id), ("offered_term_id", "!=", False)])
        offered.filtered(lambda file: earned.get(file.id) != file.offered_term_id)._withdraw_terms()
        news = files.browse(earned).filtered(lambda file: not file.offered_term_id)
        for term, same in news.grouped(lambda file: earned[file.id]).items():
            same.offered_term_id = term
        for file in news:
            user = company._ar_credit_manager(file)
            file.activity_schedule(
                ACTIVITY,
                date,
                summary=self.env._("Offer better terms?"),
                note=self.env._(
                    "Low risk, grade %(grade)s: %(term)s instead of %(former)s.",
                    grade=file.grade_id.display_name,
                    term=file.offered_term_id.display_name,
                    former=file.payment_term_id.display_name or self.env._("none"),
                ),
                user_id=user.id or self.env.uid,
            )

    @api.model
    def _find_earned(self, company, date, files=None):
        """The better terms that customers have earned by their grade: ``{file id: term}``.

        Of low risk and not held, a customer for so many months, with payments to judge by; who
        declined lately is not asked again, and no term is proposed that is not better.

        :param files: to look at, by default all of the company
        """
        self.env["ar.credit.file"].flush_model()
        self.env["ar.credit.grade"].flush_model()
        self.env["account.payment.term"].flush_model(["active", "company_id"])
        self.env["account.move"].flush_model(["partner_id", "move_type", "state"])
        self.env["res.partner"].flush_model(["active", "commercial_partner_id"])
        rows = self.env.execute_query(
            SQL(
                """
            SELECT file.id, term.id
              FROM ar_credit_file file
              JOIN ar_credit_grade grade ON grade.id = file.grade_id
              JOIN account_payment_term term ON term.id = grade.better_term_id AND term.active
               AND COALESCE(term.company_id, file.company_id) = file.company_id
              JOIN res_partner partner ON partner.id = file.partner_id AND partner.active
             WHERE file.company_id = %(company)s AND %(scope)s
               AND file.risk_tier = 'low' AND file.hold IS NOT TRUE
               AND file.settled_count >= %(least)s
               AND (file.terms_declined_on IS NULL OR file.terms_declined_on <= %(asked_before)s)
               AND EXISTS (
                SELECT FROM res_partner contact
                  JOIN account_move sale ON sale.partner_id = contact.id
                  JOIN res_company company ON company.id = sale.company_id
                 WHERE contact.commercial_partner_id = file.partner_id
                   AND sale.move_type = 'out_invoice' AND sale.state = 'posted'
                   AND company.parent_path LIKE file.company_id || '/%%'
                   AND COALESCE(sale.invoice_date, sale.date)
                       <= %(date)s::date - MAKE_INTERVAL(months => grade.better_term_months))
             ORDER BY file.id
            """,
                company=company.id,
                scope=SQL("TRUE") if files is None else SQL("file.id IN %s", tuple(files.ids)),
                least=LEAST_SETTLED,
                date=date,
                asked_before=date - relativedelta(days=company.ar_terms_again_days),
            )
        )
        insiders = self.env["ar.position"]._get_insiders()
        found = self.env["ar.credit.file"].sudo().browse(file_id for file_id, _term_id in rows)
        terms = (
            self.env["account.payment.term"].sudo().browse(term_id for _file_id, term_id in rows)
        )
        return {
            file.id: term
            for file, term in zip(found, terms, strict=True)
            if file.partner_id not in insiders and self._is_better(term, file.payment_term_id, date)
        }

    @api.model
    def _is_better(self, term, former, date):
        """Whether a payment term is longer than another one, or has a discount in addition."""
        days, former_days = term._ar_get_days(date), former._ar_get_days(date)
        adds_discount = term.early_discount and not former.early_discount
        return days > former_days or (adds_discount and days == former_days)
