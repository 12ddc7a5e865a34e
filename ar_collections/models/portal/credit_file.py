from bisect import bisect_left
from datetime import datetime, time, timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import hash_sign, verify_hash_signed

from ..common.letter import FIRST_PAGE, Row, Table

SCOPE = "ar_collections.portal"
# What the customer may read: not a draft, nor what was given up before it agreed.
PAPERS = {
    "ar.payment.plan": ("proposed", "accepted", "done", "defaulted"),
    "ar.debt.acknowledgement": ("sent", "signed"),
}


class ArCreditFile(models.Model):
    """What a customer sees of its account: the printed statement, and its page in the portal.

    A statement shows what is open on a day, how old it is, and how it came about. The day and the
    start of the movements are in the context, ``ar_statement_date`` and ``ar_statement_from``, so
    that mails attach the statement that was asked for. All figures are those of ``ar.position``:
    the total is what the receivable accounts show.

    A link opens the page without login. It is signed and not stored: it names the file and the
    last day on which it works, and how often the links of the file were revoked before it was
    made. So a mail to each of ten thousand customers writes nothing, and one number makes all
    links of a customer worthless.
    """

    _name = "ar.credit.file"
    _inherit = ["ar.credit.file", "ar.letter"]

    portal_revocations = fields.Integer(readonly=True, copy=False)
    portal_link = fields.Char(
        compute="_compute_portal_link",
        groups="ar_collections.group_collector",
        help="Opens the page of this customer, and of no other, without login. Send it to "
        "nobody else.",
    )
    portal_link_end = fields.Date(
        string="Link Works Until",
        compute="_compute_portal_link",
        groups="ar_collections.group_collector",
    )

    @api.depends("portal_revocations", "company_id.ar_portal_days")
    def _compute_portal_link(self):
        for file in self:
            days = file.company_id.ar_portal_days
            today = file.company_id._ar_today()
            file.portal_link = file._portal_url(file._portal_token(today)) if days else False
            file.portal_link_end = today + timedelta(days=days) if days else False

    # Actions

    def action_statement(self):
        """Print or send the statements of these customers."""
        self.check_access("read")
        return self.env["ar.collection.statement"]._open_for(self)

    def action_open_portal(self):
        """Show the page as the customer sees it."""
        self.ensure_one()
        self.check_access("write")
        if not self.portal_link:
            raise UserError(
                self.env._(
                    "%s sends no portal links: set for how many days they work in the settings.",
                    self.company_id.name,
                )
            )
        return {"type": "ir.actions.act_url", "url": self.portal_link, "target": "new"}

    def action_revoke_portal_links(self):
        """Make all links worthless that were sent to the customer so far."""
        self.check_access("write")
        for file in self.sudo():
            file.portal_revocations += 1
            file.message_post(
                body=self.env._("All portal links that were sent so far do not work any more."),
                subtype_xmlid="mail.mt_note",
            )

    # Links

    def _portal_token(self, date):
        """What proves that somebody got a link from us.

        :param date: day on which the link is made; it works as many days as the company says
        :return: text for the parameter ``access_token``, empty when the company sends no links
        """
        self.ensure_one()
        # Whoever sends a mail need not know the secret of the database.
        file = self.sudo()
        days = file.company_id.ar_portal_days
        if not days:
            return ""
        return hash_sign(
            file.env,
            SCOPE,
            [file.id, file.portal_revocations],
            expiration=datetime.combine(date + timedelta(days=days + 1), time.min),
        )

    @api.model
    def _portal_find(self, token):
        """The file whose page a token opens: none when it is forged, expired or revoked."""
        try:
            values = verify_hash_signed(self.sudo().env, SCOPE, token)
        except (ValueError, IndexError):
            values = None
        if not values:
            return self.browse()
        file_id, revocations = values
        return (
            self.sudo()
            .browse(file_id)
            .exists()
            .filtered(lambda file: file.portal_revocations == revocations)
        )

    def _portal_url(self, token):
        """The link to the page that stands in mails."""
        self.ensure_one()
        return f"{self.get_base_url()}/my/receivables/{self.id}?access_token={token}"

    # Who may see what

    @api.model
    def _portal_files(self, partner):
        """The files of a contact's customer where it owes something, or has agreed something.

        :param partner: the contact who is logged in
        :return: sudoed files, the largest debt first
        """
        files = self.with_user(SUPERUSER_ID).search(
            [("partner_id", "=", partner.commercial_partner_id.id)]
        )
        if not files:
            return files
        today = max(company._ar_today() for company in files.company_id)
        items = self.env["ar.position"]._items(files.company_id, today, files.partner_id)
        papers = self._portal_papers(files)
        return files.filtered(
            lambda file: (file.company_id.id, file.partner_id.id) in items or papers[file]
        ).sorted(lambda file: -file.open_amount)

    @api.model
    def _portal_papers(self, files):
        """``{file: [plans and acknowledgements that the customer may read]}``"""
        papers = {file: [] for file in files}
        for model in ("ar.payment.plan", "ar.debt.acknowledgement"):
            domain = [("file_id", "in", files.ids), ("state", "in", PAPERS[model])]
            for record in self.env[model].with_env(files.env).search(domain):
                papers[record.file_id].append(record)
        return papers

    def _portal_contact(self):
        """Who deals with the customer, and gets what it writes.

        :return: ``res.users``: the collector, else the credit manager of the company
        """
        self.ensure_one()
        case = self.env["ar.collection.case"]._get_open_case(self.partner_id, self.company_id)
        user = case.collector_id or self.collector_id or self.company_id.ar_credit_manager_id
        managers = self.env.ref("ar_collections.group_credit_manager").all_user_ids
        return (
            user.filtered("active")
            or managers.filtered(
                lambda manager: self.company_id in manager.company_ids and not manager.share
            ).sorted("id")[:1]
        )

    # The printed statement

    def _get_statement(self):
        """The figures and pages of one statement.

        :return: ``date``, ``pages``, ``ageing`` (``[(currency name, [amount per bucket, credits,
            total])]`` as text), ``labels`` of its columns, ``currencies`` of the items, ``total``
            and ``overdue`` as text
        """
        self.ensure_one()
        self.check_access("read")
        context = self.env.context
        date = fields.Date.to_date(context.get("ar_statement_date")) or self.company_id._ar_today()
        date_from = fields.Date.to_date(context.get("ar_statement_from"))
        position = self.env["ar.position"]
        key = self.company_id.id, self.partner_id.id
        items = position._items(self.company_id, date, self.partner_id).get(key, [])
        figures = position._figures(self.company_id, date, self.partner_id)[key]
        movements = self._statement_movements(date_from, date) if date_from else []
        tables = self._statement_tables(items)
        ageing = self._statement_ageing(items, figures)
        own = self.company_id.currency_id
        return {
            "date": date,
            "date_from": date_from,
            "pages": self._letter_pages([*tables, *movements], first=FIRST_PAGE - len(ageing) - 1),
            "labels": [
                *self.company_id._ar_bucket_labels(),
                self.env._("Credits"),
                self.env._("Balance"),
            ],
            "ageing": ageing,
            "currencies": self.env["res.currency"].browse({item.currency_id for item in items}),
            "total": self._letter_money(figures.open_amount, own),
            "overdue": figures.overdue_amount and self._letter_money(figures.overdue_amount, own),
        }

    def _statement_ageing(self, items, figures):
        """One row per currency of the items; with foreign ones, the sum in company currency."""
        edges = self.company_id._ar_bucket_edges()
        own = self.company_id.currency_id
        sums = {}
        for item in items:
            # Not due, then one per edge, then older; credits at the end.
            row = sums.setdefault(item.currency_id, [0.0] * (len(edges) + 3))
            if item.residual < 0:
                row[-1] += item.residual_currency
            else:
                row[bisect_left([0, *edges], item.days_overdue)] += item.residual_currency
        rows = []
        if set(sums) - {own.id}:
            for currency in self.env["res.currency"].browse(sums):
                amounts = sums[currency.id]
                rows.append((currency.name, currency, [*amounts, sum(amounts)]))
            rows.sort(key=lambda row: (row[1] != own, row[0]))
        label = self.env._("In %s", own.name) if rows else own.name
        own_row = [*figures.buckets, figures.unallocated, figures.open_amount]
        return [
            (name, [self._letter_number(amount, currency) for amount in amounts])
            for name, currency, amounts in [*rows, (label, own, own_row)]
        ]

    def _statement_tables(self, items):
        columns = [
            (self.env._("Document"), "text"),
            (self.env._("Date"), "date"),
            (self.env._("Due Date"), "date"),
            (self.env._("Days Overdue"), "days"),
            (self.env._("Amount"), "money"),
            (self.env._("Still Open"), "money"),
        ]
        lines = (
            self.env["account.move.line"].sudo().browse(item.line_id for item in items)
        )  # auditors of credit need not see entries of all journals
        lines.fetch(["move_name", "move_id", "date", "amount_currency"])
        lines.move_id.fetch(["invoice_date"])
        debts, credits_ = [], []
        for item, line in zip(items, lines, strict=True):
            entry = (
                self.env["res.currency"].browse(item.currency_id),
                (
                    line.move_name,
                    line.move_id.invoice_date or line.date,
                    item.due,
                    item.days_overdue if item.residual > 0 else 0,
                    line.amount_currency,
                    item.residual_currency,
                ),
            )
            (debts if item.residual > 0 else credits_).append(entry)
        return [
            *self._letter_tables(self.env._("Open items"), columns, debts),
            *self._letter_tables(
                self.env._("Payments and credit notes not yet allocated"), columns, credits_
            ),
        ]

    def _statement_movements(self, date_from, date):
        """One table in company currency, from the balance before to the balance of the day."""
        own = self.company_id.currency_id
        key = self.company_id.id, self.partner_id.id
        position = self.env["ar.position"]
        before = date_from - timedelta(days=1)
        opening = position._figures(self.company_id, before, self.partner_id)[key].open_amount
        # Odoo's own words: our "Credit" is the menu of the credit files.
        sides = self.env["account.move.line"].fields_get(["debit", "credit"], ["string"])
        debit, credit = (sides[side]["string"] for side in ("debit", "credit"))
        columns = [
            (self.env._("Date"), "date"),
            (self.env._("Document"), "text"),
            (self.env._("Reference"), "text"),
            (debit, "money"),
            (credit, "money"),
            (self.env._("Balance"), "money"),
        ]
        rows, balance = [], opening
        for movement in position._movements(self.company_id, date_from, date, self.partner_id).get(
            key, []
        ):
            balance = own.round(balance + movement.balance)
            values = (
                movement.date,
                movement.name,
                self._statement_reference(movement),
                movement.balance if movement.balance > 0 else None,
                -movement.balance if movement.balance < 0 else None,
                balance,
            )
            rows.append(Row(self._letter_cells(columns, values, own), movement.balance))
        return [
            Table(
                title=self.env._(
                    "Movements from %(start)s to %(end)s",
                    start=self._letter_date(date_from),
                    end=self._letter_date(date),
                ),
                heads=[
                    (f"{label} ({own.name})" if kind == "money" else label, kind == "money")
                    for label, kind in columns
                ],
                rows=rows,
                currency=own,
                total_label=self.env._("Balance at the end"),
                opening=opening,
                opening_label=self.env._("Balance before"),
            )
        ]

    def _statement_reference(self, movement):
        """The reference, short enough for one line, or the amount in its foreign currency."""
        currency = self.env["res.currency"].browse(movement.currency_id)
        if currency != self.company_id.currency_id:
            return self._letter_money(movement.amount_currency, currency)
        return movement.label if len(movement.label) <= 24 else f"{movement.label[:23]}…"

    def _get_statement_contacts(self):
        """``{file: who gets the statement by e-mail}``, nobody when nobody has an address."""
        return self.env["ar.recipient"]._get_recipients(self, "email")

    def _send_statements(self):
        """Send each customer its statement by e-mail; the message stays on the credit file.

        :return: the files whose customer was written to
        """
        self.check_access("write")
        contacts = self._get_statement_contacts()
        sent = self.filtered(contacts.get)
        template = self.env.ref("ar_collections.mail_template_statement")
        for file in sent:
            file.message_post_with_source(
                template, partner_ids=contacts[file].ids, subtype_xmlid="mail.mt_note"
            )
        return sent
