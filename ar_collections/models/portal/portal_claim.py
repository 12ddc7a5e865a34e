from base64 import b64decode
from io import BytesIO
from pathlib import PurePath
from zipfile import BadZipFile, ZipFile

from markupsafe import Markup
from PIL import Image

from odoo import api, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_amount, format_date
from odoo.tools.image import IMAGE_MAX_RESOLUTION
from odoo.tools.mimetypes import guess_mimetype

MAX_FILES = 5
MAX_NAME = 120
MAX_TEXT = 5000
MAX_BYTES = 10 * 1024 * 1024
OFFICE = "application/vnd.openxmlformats-officedocument."
# By what is in a file: what it is called, and how its name ends.
MIMETYPES = {
    "application/pdf": ("PDF", ".pdf"),
    "image/jpeg": ("JPEG", ".jpg"),
    "image/png": ("PNG", ".png"),
    "image/webp": ("WebP", ".webp"),
    f"{OFFICE}spreadsheetml.sheet": ("Excel", ".xlsx"),
    f"{OFFICE}wordprocessingml.document": ("Word", ".docx"),
}
# Far more than a drawn signature needs.
MAX_SIGNATURE = 1024 * 1024


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
        if file._get_reason_not_to_agree():
            raise UserError(
                self.env._(
                    "We can take no promise to pay from you at present: please get in touch with "
                    "us."
                )
            )
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
        :param files: ``[(file name, bytes)]``, judged by their content
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
        files = self._check_files(files)
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
        """Say on the record who did it, and notify the person in charge.

        :param files: what :meth:`_check_files` returns
        """
        body = Markup("<p>%s</p>") % title
        if text:
            body += Markup("<p>%s</p>") % text
        record.message_post(
            body=body,
            attachment_ids=self.env["ir.attachment"]
            .create(
                [
                    {
                        "name": name,
                        "raw": content,
                        "mimetype": mimetype,
                        "res_model": record._name,
                        "res_id": record.id,
                        "ar_from_customer": True,
                    }
                    for name, content, mimetype in files
                ]
            )
            .ids,
            author_id=file.partner_id.id,
            partner_ids=file._portal_contact().partner_id.ids,
            message_type="comment",
            subtype_xmlid="mail.mt_note",
        )

    # What a customer may send

    @api.model
    def _check_words(self, name, text):
        if not isinstance(name, str) or not name.strip():
            raise UserError(self.env._("Write your name."))
        if "\0" in f"{name}{text}":
            raise UserError(self.env._("Your text has characters that cannot be kept."))
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
        """What a customer sent, as what it is.

        :param files: ``[(file name, bytes)]``
        :return: ``[(file name, bytes, mimetype)]``, by what is in the files
        :raise UserError: too many, too large, or nothing that we take
        """
        if len(files) > MAX_FILES:
            raise UserError(self.env._("Send %s files at most.", MAX_FILES))
        return [self._check_file(name, content) for name, content in files]

    @api.model
    def _check_file(self, name, content):
        # What is before a slash is a folder of the visitor, or an attempt at one of ours.
        name = "".join(filter(str.isprintable, PurePath(name.replace("\\", "/")).name)).strip()
        if len(content) > MAX_BYTES:
            raise UserError(
                self.env._(
                    "%(file)s is larger than %(size)s MB.",
                    file=name,
                    size=MAX_BYTES // 1024 // 1024,
                )
            )
        mimetype = guess_mimetype(content)
        is_taken = mimetype in MIMETYPES and not (
            (mimetype in ("image/png", "image/jpeg") and not is_picture(content))
            or (mimetype.startswith(OFFICE) and has_program(content))
        )
        if not is_taken:
            raise UserError(
                self.env._(
                    "%(file)s cannot be taken: send %(types)s.",
                    file=name,
                    types=", ".join(label for label, _ending in MIMETYPES.values()),
                )
            )
        ending = MIMETYPES[mimetype][1]
        stem = name[: -len(ending)] if name.lower().endswith(ending) else name
        return f"{stem[:MAX_NAME]}{ending}", content, mimetype

    @api.model
    def _check_signature(self, signature):
        """A drawn signature is a picture, and not more than that.

        :param signature: base64
        """
        refused = UserError(self.env._("Draw your signature."))
        if not isinstance(signature, str) or not 0 < len(signature) <= MAX_SIGNATURE:
            raise refused
        try:
            content = b64decode(signature, validate=True)
        except ValueError as error:
            raise refused from error
        if not is_picture(content):
            raise refused


def is_picture(content):
    """Whether bytes are a photo or a drawing of points, whole and of a size that can be shown."""
    try:
        with Image.open(BytesIO(content), formats=("PNG", "JPEG")) as picture:
            width, height = picture.size
            picture.verify()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False
    return width * height <= IMAGE_MAX_RESOLUTION


def has_program(content):
    """Whether an Office file brings a macro or another program, or cannot be read."""
    try:
        with ZipFile(BytesIO(content)) as office:
            names = [name.lower() for name in office.namelist()]
    except (BadZipFile, ValueError, NotImplementedError):
        return True
    parts = ("vbaproject", "vbadata", "activex/", "embeddings/", "macrosheets/")
    return any(part in name for name in names for part in parts)
