from odoo import fields, http
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import format_date

from ..models.portal.portal_claim import MAX_BYTES, MAX_FILES
from .portal import ReceivablesPortal, reads

DISPUTE_ROUTE = {"max_content_length": MAX_FILES * MAX_BYTES + 1024 * 1024}


class ReceivablesForms(ReceivablesPortal):
    """The forms by which a customer promises and objects; what it typed is never lost."""

    @http.route(
        "/my/receivables/<int:file_id>/promise",
        type="http",
        auth="public",
        website=True,
        sitemap=False,
        methods=["GET", "POST"],
        readonly=reads,
    )
    def portal_receivables_promise(self, file_id, access_token=None, **post):
        """Promise to pay items by a day."""
        file = self._receivables_file(file_id, access_token)
        if not file:
            return self._receivables_refuse(file_id, access_token)
        lines = self._receivables_lines(file, self._receivables_chosen())
        error = None
        if request.httprequest.method == "POST":
            _promise, error = self._receivables_act(
                lambda: file.env["ar.portal.claim"]._make_promise(
                    file,
                    lines,
                    self._receivables_amount(post.get("amount")),
                    self._receivables_date(post.get("date")),
                    post.get("name"),
                    (post.get("note") or "").strip(),
                )
            )
            if not error:
                return self._receivables_done(file, access_token, "promise")
        today = file.company_id._ar_today()
        last = file._portal_last_promise(today)
        values = self._receivables_form_values(file, access_token, lines, error, post)
        return request.render(
            "ar_collections.portal_receivables_promise",
            {
                **values,
                "first_day": fields.Date.to_string(today),
                "last_day": fields.Date.to_string(last),
                "last_day_text": request.env._(
                    "On %s at the latest.", format_date(request.env, last)
                ),
            },
        )

    @http.route(
        "/my/receivables/<int:file_id>/dispute",
        type="http",
        auth="public",
        website=True,
        sitemap=False,
        methods=["GET", "POST"],
        readonly=reads,
        **DISPUTE_ROUTE,
    )
    def portal_receivables_dispute(self, file_id, access_token=None, **post):
        """Object to items, with what proves it."""
        file = self._receivables_file(file_id, access_token)
        if not file:
            return self._receivables_refuse(file_id, access_token)
        lines = self._receivables_lines(file, self._receivables_chosen())
        reasons = (
            request.env["ar.dispute.reason"]
            .with_env(file.env)
            .search([("company_id", "in", (False, file.company_id.id))])
        )
        error = None
        if request.httprequest.method == "POST":
            _dispute, error = self._receivables_act(
                lambda: file.env["ar.portal.claim"]._make_dispute(
                    file,
                    lines,
                    {
                        line: amount
                        for line in lines
                        if (amount := self._receivables_amount(post.get(f"amount_{line.id}")))
                    },
                    reasons.filtered(lambda reason: str(reason.id) == post.get("reason_id")),
                    post.get("description"),
                    post.get("name"),
                    [
                        (upload.filename, upload.read(MAX_BYTES + 1))
                        for upload in request.httprequest.files.getlist("files")
                        if upload.filename
                    ],
                )
            )
            if not error:
                return self._receivables_done(file, access_token, "dispute")
        values = self._receivables_form_values(file, access_token, lines, error, post)
        return request.render(
            "ar_collections.portal_receivables_dispute",
            {
                **values,
                "reasons": reasons,
                "files_help": request.env._(
                    "Up to %(files)s files of %(size)s MB each: PDF, photos, Excel or Word.",
                    files=MAX_FILES,
                    size=MAX_BYTES // 1024 // 1024,
                ),
            },
        )

    def _receivables_chosen(self):
        sent = request.httprequest
        return (sent.form if sent.method == "POST" else sent.args).getlist("item")

    def _receivables_form_values(self, file, access_token, lines, error, post):
        """A form shows the items that were chosen, or all when nobody chose yet."""
        items = [item for item in self._receivables_items(file) if item.payable > 0]
        return self._receivables_values(
            file,
            access_token,
            items=[item for item in items if item.line in lines] or items,
            chosen=lines,
            error=error,
            post=post,
        )

    def _receivables_done(self, file, access_token, what):
        values = self._receivables_values(file, access_token)
        return request.redirect(values["path"](done=what))

    # What was typed

    def _receivables_amount(self, text):
        """The number in a field of a form, ``None`` when the field is empty."""
        text = (text or "").strip()
        if not text:
            return None
        try:
            amount = float(text)
        except ValueError:
            amount = -1
        if not 0 < amount < 1e15:
            raise UserError(request.env._("“%s” is not an amount.", text))
        return amount

    def _receivables_date(self, text):
        try:
            return fields.Date.to_date((text or "").strip() or None)
        except ValueError as error:
            raise UserError(request.env._("“%s” is not a date.", text)) from error
