from markupsafe import Markup

from odoo import api, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_amount, format_date
from odoo.tools.mimetypes import guess_mimetype

MAX_FILES = 5
MAX_NAME = 120
MAX_TEXT = 5000
MAX_BYTES = 10 * 1024 * 1024
MIMETYPES = {
    "application/pdf": "PDF",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WebP",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word",
}


class ArPortalClaim(models.AbstractModel):
    """What a customer promises and disputes on its page.

    An item is promised once there, and disputed once: nobody puts off dunning for ever by saying
    the same again. Whoever wants something else talks to us.
    """

    _name = "ar.portal.claim"
    _description = "Promises and Disputes of the Portal"

    @api.model
    def _make_promise(self, file, lines, amount, date, name, note=""):
        """The customer promises to pay items.

        :param file: credit file of the customer
        :param lines: journal items of the customer
        :param amount: in their currency, or nothing for all that is open of them
        :param name: of the person who promises
        :return: the promise
        :raise UserError: with a text that the customer understands
        """
        file.ensure_one()
        self._check_words(name, note)
        # What is on its way need not be promised.
        residuals = self._check_lines(file, lines)
        today = file.company_id._ar_today()
        self._check_date(file, date, today)
        currency = lines.currency_id
        amount = currency.round(amount or sum(residuals.values()))
        if currency.compare_amounts(amount, 0) <= 0:
            raise UserError(self.env._("Enter the amount that you promise to pay."))
        if currency.compare_amounts(amount, sum(residuals.values())) > 0:
            raise UserError(
                self.env._(
                    "Only %(open)s of the items that you chose is open.",
                    open=format_amount(self.env, sum(residuals.values()), currency),
                )
            )
        self._check_not_promised(lines)
        parts, left = [], amount
        for line in lines.sorted(lambda line: (line.date_maturity or line.date, line.id)):
            part = min(left, residuals[line])
            if currency.compare_amounts(part, 0) > 0:
                parts.append((0, 0, {"move_line_id": line.id, "amount": part}))
                left = currency.round(left - part)
        user = file._portal_contact()
        promise = self.env["ar.payment.promise"].create(
            {
                "partner_id": file.partner_id.id,
                "company_id": file.company_id.id,
                "currency_id": currency.id,
                "amount": amount,
                "date": date,
                "date_made": today,
                "line_ids": parts,
                "note": note,
                "user_id": user.id,
            }
        )
        self._tell_contact(file, promise, self.env._("Promised in the portal by %s.", name), note)
        return promise

    @api.model
    def _make_dispute(self, file, lines, amounts, reason, description, name, files=()):
        """The customer objects to items, or to parts of them.

        :param file: credit file of the customer
        :param amounts: ``{line: amount}`` in the currency of each item; all of it by default
        :param files: ``[(file name, bytes)]``
        :return: the dispute
        :raise UserError: with a text that the customer understands
        """
        file.ensure_one()
        self._check_words(name, description)
        if not (description or "").strip():
            raise UserError(self.env._("Tell us what is wrong, so that we can put it right."))
        if not reason or reason.company_id - file.company_id:
            raise UserError(self.env._("Choose a reason."))
        self._check_lines(file, lines)
        for line in lines:
            amount = amounts.get(line, line.amount_residual_currency)
            if line.currency_id.compare_amounts(amount, 0) <= 0:
                raise UserError(self.env._("Enter the amount of %s that is wrong.", line.move_name))
        self._check_not_disputed(lines)
        self._check_files(files)
        user = file._portal_contact()
        dispute = self.env["ar.dispute"].create(
            {
                "partner_id": file.partner_id.id,
                "company_id": file.company_id.id,
                "currency_id": file.company_id.currency_id.id,
                "date": file.company_id._ar_today(),
                "reason_id": reason.id,
                "owner_id": (reason.owner_id | user)._ar_or_next(file.company_id, None).id,
                "description": description,
                "user_id": user.id,
                "line_ids": [
                    (
                        0,
                        0,
                        {
                            "move_line_id": line.id,
                            "amount": line.currency_id.round(
                                amounts.get(line, line.amount_residual_currency)
                            ),
                        },
                    )
                    for line in lines
                ],
            }
        )
        self._tell_contact(
            file, dispute, self.env._("Raised in the portal by %s.", name), description, files
        )
        return dispute

    @api.model
    def _tell_contact(self, file, record, title, text, files=()):
        """Say on the record who did it, and notify the person in charge."""
        body = Markup("<p>%s</p>") % title
        if text:
            body += Markup("<p>%s</p>") % text
        record.message_post(
            body=body,
            attachments=list(files),
            author_id=file.partner_id.id,
            partner_ids=file._portal_contact().partner_id.ids,
            message_type="comment",
            subtype_xmlid="mail.mt_note",
        )

    # What a customer may send

    @api.model
    def _check_words(self, name, text):
        if not (name or "").strip():
            raise UserError(self.env._("Write your name."))
        if len(name) > MAX_NAME or len(text or "") > MAX_TEXT:
            raise UserError(self.env._("Your text is too long: please shorten it."))

    @api.model
    def _check_lines(self, file, lines):
        """Open items of this customer and company only, in one currency.

        :return: ``{line: what can be paid of it}``
        """
        if not lines:
            raise UserError(self.env._("Choose at least one item."))
        today = file.company_id._ar_today()
        payable = {
            item.line: item.payable
            for item in self.env["ar.portal.statement"]._get_items(file, today)
        }
        for line in lines:
            if line not in payable:
                raise ValidationError(self.env._("Choose items of your own account."))
            if line.currency_id.compare_amounts(payable[line], 0) <= 0:
                raise UserError(
                    self.env._("%s cannot be chosen: its payment is on its way.", line.move_name)
                )
        if len(lines.currency_id) > 1:
            raise UserError(self.env._("Choose items in one currency at a time."))
        return {line: payable[line] for line in lines}

    @api.model
    def _check_date(self, file, date, today):
        if not date:
            raise UserError(self.env._("Choose the day on which you pay."))
        last = file._portal_last_promise(today)
        if not today <= date <= last:
            raise UserError(
                self.env._(
                    "Choose a day from today to %(last)s. If you need more time, please ask us "
                    "for a payment plan.",
                    last=format_date(self.env, last),
                )
            )

    @api.model
    def _check_not_promised(self, lines):
        former = self.env["ar.payment.promise.line"].search(
            [
                ("move_line_id", "in", lines.ids),
                ("promise_id.state", "in", ("open", "broken", "replaced")),
            ],
            limit=1,
        )
        if former:
            raise UserError(
                self.env._(
                    "%s has been promised before. Please talk to us about another date.",
                    former.name,
                )
            )

    @api.model
    def _check_not_disputed(self, lines):
        former = self.env["ar.dispute.line"].search(
            [("move_line_id", "in", lines.ids), ("state", "in", ("open", "rejected"))], limit=1
        )
        if former:
            raise UserError(
                self.env._("%s has been disputed before. Please talk to us about it.", former.name)
            )

    @api.model
    def _check_files(self, files):
        if len(files) > MAX_FILES:
            raise UserError(self.env._("Send %s files at most.", MAX_FILES))
        for name, content in files:
            if len(content) > MAX_BYTES:
                raise UserError(
                    self.env._(
                        "%(file)s is larger than %(size)s MB.",
                        file=name,
                        size=MAX_BYTES // 1024 // 1024,
                    )
                )
            if guess_mimetype(content) not in MIMETYPES:
                raise UserError(
                    self.env._(
                        "%(file)s cannot be taken: send %(types)s.",
                        file=name,
                        types=", ".join(MIMETYPES.values()),
                    )
                )
