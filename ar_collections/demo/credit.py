"""Decisions on credit that are in force when the story ends: reviews, cover, groups, releases."""

from datetime import timedelta

from odoo import Command

# What the analyst found: years trading, current ratio, debt ratio, profit margin,
# then the options of bureau, industry and site visit, counted from the best.
ASSESSMENTS = {
    "Hangzhou": ((18, 2.3, 34, 11), (0, 1, 0)),
    "Suzhou": ((12, 1.8, 45, 8), (1, 1, 1)),
    "Bremen": ((55, 1.6, 52, 6), (1, 2, 0)),
    "Halifax": ((31, 2.0, 40, 9), (0, 1, 1)),
    "Lyon": ((9, 1.4, 58, 4), (2, 2, 1)),
    "Wuhan": ((7, 1.1, 66, 3), (3, 2, 2)),
    "Dubai": ((5, 1.2, 61, 5), (2, 1, 2)),
    "San Diego": ((2, 0.7, 88, -4), (4, 3, 3)),
}
NUMBERS = ("years_trading", "current_ratio", "debt_ratio", "profit_margin")
CHOICES = ("bureau_rating", "industry_outlook", "site_visit")


class CreditScene:
    def __init__(self, env, company, partners, today):
        """:param partners: ``{city: res.partner}``"""
        self.env = env
        self.company = company
        self.partners = partners
        self.today = today
        self.admin = env.ref("base.user_admin")
        self.analyst = env.ref("base.user_demo", raise_if_not_found=False) or env.user

    def set_up(self):
        self.company.ar_credit_manager_id = self.admin
        self._group()
        self._cover()
        for city in ASSESSMENTS:
            self._review(city)
        self._stopped_documents()
        self._tidy_reviews()

    def _tidy_reviews(self):
        """Before there were limits nobody had room: those reviews were opened too early."""
        reviews = self.env["ar.credit.review"].search([("state", "=", "draft")])
        least = self.company.ar_review_limit_use
        reviews.filtered(lambda review: review.file_id.limit_use < least).unlink()

    def _file(self, city):
        return self.env["ar.credit.file"]._get_file(self.partners[city], self.company, create=True)

    def _group(self):
        head = self._file("Shenzhen")
        (self._file("Changsha") | self._file("Guangzhou")).parent_id = head
        head.write({"group_limited": True, "group_limit": 120000})

    def _cover(self):
        day = self.today
        euro = self.env.ref("base.EUR")
        pledged = self.env["account.move.line"].search(
            [
                ("partner_id", "=", self.partners["Suzhou"].id),
                ("account_type", "=", "asset_receivable"),
                ("parent_state", "=", "posted"),
                ("reconciled", "=", False),
                ("amount_residual", ">", 0),
            ],
            limit=1,
        )
        pledge = {"line_ids": [Command.set(pledged.ids)]}
        for city, kind, reference, amount, share, start, end, more in (
            ("Bremen", "insurance", "TCI-77-2041", 50000, 0.9, 340, 24, {"currency_id": euro.id}),
            ("Dubai", "letter_of_credit", "LC 0093/26", 15000, 1, 60, 75, {}),
            ("Tucson", "deposit", "Deposit of the first order", 2000, 1, 400, None, {}),
            ("Wuhan", "guarantee", "Parent company guarantee", 20000, 0.5, 200, 165, {}),
            ("Suzhou", "financing", "Factoring contract 12", 10000, 0.8, 30, 60, pledge),
        ):
            self.env["ar.credit.cover"].create(
                {
                    "file_id": self._file(city).id,
                    "kind": kind,
                    "reference": reference,
                    "amount": amount,
                    "covered_share": share,
                    "date_from": day - timedelta(days=start),
                    "date_to": end and day + timedelta(days=end),
                    "currency_id": self.company.currency_id.id,
                    **more,
                }
            )

    def _review(self, city):
        """One is still to be decided, the others were approved."""
        action = self._file(city).with_user(self.analyst).action_start_review()
        review = self.env["ar.credit.review"].with_user(self.analyst).browse(action["res_id"])
        review.action_refresh()
        numbers, choices = ASSESSMENTS[city]
        answers = {
            self._criterion(name): value for name, value in zip(NUMBERS, numbers, strict=True)
        }
        for line in review.line_ids:
            if line.criterion_id in answers:
                line.write({"value": answers[line.criterion_id], "has_value": True})
        for name, index in zip(CHOICES, choices, strict=True):
            criterion = self._criterion(name)
            options = criterion.sudo().band_ids.sorted("points", reverse=True)
            line = review.line_ids.filtered(
                lambda line, found=criterion: line.criterion_id == found
            )
            line.option_id = options[min(index, len(options) - 1)]
        review.reason_note = "Statements of the last two years seen; orders are steady."
        for document in review.document_ids:
            document.attachment_ids = self.env["ir.attachment"].create(
                {
                    "name": f"{document.type_id.name}.txt",
                    "raw": b"Shown at the review.",
                    "res_model": document._name,
                    "res_id": document.id,
                }
            )
        review.action_submit()
        if city != "Dubai":
            review.with_user(self.admin).action_approve()

    def _criterion(self, name):
        return self.env.ref(f"ar_collections.credit_criterion_{name}")

    def _stopped_documents(self):
        """Orders of today that credit control keeps back."""
        drafts = self.env["account.move"].create(
            [
                {
                    "move_type": "out_invoice",
                    "partner_id": self.partners[city].id,
                    "invoice_date": self.today,
                    "ref": f"Order of {city}",
                    "invoice_payment_term_id": False,
                    "invoice_date_due": self.today + timedelta(days=30),
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "name": "New order",
                                "price_unit": amount,
                                "tax_ids": [Command.clear()],
                            }
                        )
                    ],
                }
                for city, amount in (
                    ("Xiamen", 3800),
                    ("Rosario", 5200),
                    ("Belfast", 9100),
                    ("Hangzhou", 7300),
                )
            ]
        )
        drafts.action_post()
        first = drafts.filtered(lambda move: move.state == "draft")[:1]
        first.with_user(self.analyst).sudo().action_request_credit_release()
