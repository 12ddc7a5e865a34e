from werkzeug.exceptions import NotFound
from werkzeug.urls import url_encode

from odoo import SUPERUSER_ID, http
from odoo.exceptions import UserError
from odoo.http import content_disposition, request

from odoo.addons.portal.controllers.portal import CustomerPortal

from ..models.portal.portal_link import MAX_ID


def reads(_controller, _rule, _args):
    """Whether a request to a page with a form only looks at it; see ``readonly`` of Odoo's routes.

    Who comes back from writing (``done``) sees what was written: a replica may not know it yet.
    """
    sent = request.httprequest
    return sent.method in ("GET", "HEAD") and "done" not in sent.args


class ReceivablesPortal(CustomerPortal):
    """The statement of a customer, for its contacts who log in and for holders of a link."""

    def _prepare_home_portal_values(self, counters):
        # EXTENDS portal
        values = super()._prepare_home_portal_values(counters)
        if "receivable_count" in counters:
            values["receivable_count"] = len(
                request.env["ar.credit.file"]._portal_files(request.env.user.partner_id)
            )
        return values

    @http.route(
        ["/my/receivables", "/my/receivables/<int:file_id>"],
        type="http",
        auth="public",
        website=True,
        sitemap=False,
        readonly=reads,
    )
    def portal_receivables(self, file_id=None, access_token=None, done=None, **kwargs):
        """The open items of the customer: of one company, the others are a click away."""
        file = self._receivables_file(file_id, access_token)
        if not file:
            return self._receivables_refuse(file_id, access_token)
        values = {
            **self._receivables_values(file, access_token),
            **file.env["ar.portal.statement"]._get_statement(file, file.company_id._ar_today()),
            **self._receivables_claims(file),
            "done": done,
        }
        return request.render("ar_collections.portal_receivables", values)

    @http.route(
        "/my/receivables/<int:file_id>/invoice/<int:move_id>",
        type="http",
        auth="public",
        website=True,
        sitemap=False,
    )
    def portal_receivables_invoice(self, file_id, move_id, access_token=None, **kwargs):
        """The PDF of an invoice of the customer.

        Odoo's own link of an invoice would outlive the link that brought the visitor here. The
        first PDF of an invoice may write to it: this is nothing for a replica.
        """
        file = self._receivables_file(file_id, access_token)
        if not file:
            return self._receivables_refuse(file_id, access_token)
        if move_id > MAX_ID:
            raise NotFound()
        move = request.env["account.move"].with_env(file.env)
        move = move.search(
            [
                ("id", "=", move_id),
                ("state", "=", "posted"),
                ("move_type", "in", move.get_sale_types(include_receipts=True)),
                ("commercial_partner_id", "=", file.partner_id.id),
                ("company_id", "child_of", file.company_id.id),
            ]
        )
        if not move:
            raise NotFound()
        document = move._get_invoice_legal_documents("pdf", allow_fallback=True)
        return self._receivables_pdf(document["content"], document["filename"])

    def _receivables_claims(self, file):
        """What was agreed, or is open, besides the items."""
        promises = request.env["ar.payment.promise"].with_env(file.env)
        disputes = request.env["ar.dispute"].with_env(file.env)
        return {
            "promises": promises.search([("file_id", "=", file.id), ("state", "=", "open")]),
            "disputes": disputes.search(
                [("file_id", "=", file.id), ("state", "!=", "cancelled")], limit=10
            ),
            "papers": file._portal_papers(file)[file],
        }

    # Whose page it is

    def _receivables_file(self, file_id=None, access_token=None):
        """The credit file whose page the visitor may see.

        A link opens the page of its customer; without one, whoever is logged in sees the pages of
        their own firm.

        :return: the file as superuser, speaking the visitor's language; empty when refused
        """
        files = request.env["ar.credit.file"]
        if file_id is not None and not 0 < file_id <= MAX_ID:
            return files
        file = files._portal_find(access_token) if access_token else files
        if file and file_id in (None, file.id):
            if request.env.user._is_public():
                self._receivables_speak(file.partner_id.lang)
        else:
            file = self._receivables_own_file(file_id)
        return (
            file.with_user(SUPERUSER_ID)
            .with_company(file.company_id)
            .with_context(lang=request.env.lang)
        )

    def _receivables_own_file(self, file_id):
        user = request.env.user
        files = request.env["ar.credit.file"].sudo()
        if user._is_public():
            return files
        if file_id:
            return files.search(
                [
                    ("id", "=", file_id),
                    ("partner_id", "=", user.partner_id.commercial_partner_id.id),
                ]
            )
        return files._portal_files(user.partner_id)[:1]

    def _receivables_speak(self, lang):
        """A link speaks the customer's language, unless the address names another."""
        default = request.env["ir.http"]._get_default_lang().code
        installed = dict(request.env["res.lang"].get_installed())
        if lang in installed and request.lang.code == default:
            request.update_context(lang=lang)

    def _receivables_refuse(self, file_id=None, access_token=None):
        """Tell a visitor why there is nothing to see, without telling what there is."""
        if request.env.user._is_public() and not access_token:
            return request.redirect_query(
                "/web/login", {"redirect": request.httprequest.full_path.rstrip("?")}
            )
        if not access_token and not file_id:
            return request.render(
                "ar_collections.portal_receivables_empty", {"page_name": "receivables"}
            )
        response = request.render(
            "ar_collections.portal_receivables_refused", {"no_breadcrumbs": True}
        )
        response.status_code = 403
        return response

    # What pages have in common

    def _receivables_values(self, file, access_token, **values):
        """What every page of the customer needs to be rendered."""
        token = access_token if file._portal_find(access_token or "") else ""
        files = file
        if not token:
            files |= file._portal_files(request.env.user.partner_id)
        return {
            "page_name": "receivables",
            "no_breadcrumbs": bool(token),
            "res_company": file.company_id,
            "file": file,
            "files": files,
            "access_token": token,
            "path": self._receivables_path(f"/my/receivables/{file.id}", token),
            "contact": file._portal_contact(),
            "visitor": "" if request.env.user._is_public() else request.env.user.name,
            **values,
        }

    def _receivables_path(self, start, token):
        """A function that gives the address of a page below ``start``, with its parameters."""

        def path(below="", **params):
            query = url_encode({**({"access_token": token} if token else {}), **params})
            return f"{start}{below}{query and '?'}{query}"

        return path

    def _receivables_items(self, file):
        """The open items as the customer sees them today."""
        return file.env["ar.portal.statement"]._get_items(file, file.company_id._ar_today())

    def _receivables_lines(self, file, ids):
        """The journal items that a visitor chose, out of the open items of the file.

        :param ids: texts; what is no item of the file is left out
        """
        lines = request.env["account.move.line"].with_env(file.env)
        for item in self._receivables_items(file):
            if str(item.line.id) in ids:
                lines |= item.line
        return lines

    def _receivables_try(self, act):
        """``(result, None)``, or ``(None, what the visitor has to correct)``"""
        try:
            with request.env.cr.savepoint():
                return act(), None
        except UserError as error:
            return None, str(error)

    def _receivables_act(self, act):
        """What only the customer does: see :meth:`_receivables_try`."""
        if request.env.user._is_internal():
            return None, request.env._("You are logged in as one of us: this is for the customer.")
        return self._receivables_try(act)

    def _receivables_pdf(self, content, filename):
        return request.make_response(
            content,
            headers=[
                ("Content-Type", "application/pdf"),
                ("Content-Length", len(content)),
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Disposition", content_disposition(filename)),
            ],
        )
