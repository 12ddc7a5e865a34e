import binascii
from base64 import b64decode

from odoo import fields, http
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import format_date

from .portal import ReceivablesPortal

# Far more than a drawn signature needs.
MAX_SIGNATURE = 1024 * 1024
PAPERS = {
    "plan": ("ar.payment.plan", "ar_collections.report_payment_plan"),
    "acknowledgement": ("ar.debt.acknowledgement", "ar_collections.report_debt_acknowledgement"),
}
ROUTE = '/my/receivables/<any("plan","acknowledgement"):kind>/<int:record_id>'


class ReceivablesPapers(ReceivablesPortal):
    """Payment plans and debt acknowledgements, which the customer reads and signs."""

    @http.route(ROUTE, type="http", auth="public", website=True, sitemap=False)
    def portal_receivables_paper(
        self, kind, record_id, access_token=None, report_type=None, done=None, error=None, **post
    ):
        """One plan or acknowledgement, as a page or as PDF."""
        record, file = self._receivables_paper(kind, record_id, access_token)
        if not record:
            return self._receivables_refuse(record_id, access_token)
        report = request.env.ref(PAPERS[kind][1], raise_if_not_found=False)
        if report_type == "pdf" and report:
            content, _type = (
                report.sudo()
                .with_company(file.company_id)
                ._render_qweb_pdf(report.report_name, record.ids)
            )
            return self._receivables_pdf(content, f"{record.name.replace('/', '_')}.pdf")
        return self._receivables_show(kind, record, file, access_token, done=done, report=report)

    def _receivables_show(self, kind, record, file, access_token, **values):
        return request.render(
            f"ar_collections.portal_receivables_{kind}",
            self._receivables_values(
                file,
                access_token,
                kind=kind,
                record=record,
                signed_text=self._receivables_signed_text(record),
                confirmation=self._receivables_confirmation(record),
                paper_path=self._receivables_paper_path(record, file, access_token),
                **values,
            ),
        )

    @http.route(f"{ROUTE}/sign", type="jsonrpc", auth="public", website=True)
    def portal_receivables_sign(self, kind, record_id, name=None, signature=None, **kwargs):
        """Sign with a name and a drawn signature.

        :return: what ``portal.signature_form`` expects: an error, or where to go
        """
        access_token = request.httprequest.args.get("access_token")
        record, file = self._receivables_paper(kind, record_id, access_token)
        if not record:
            return {"error": request.env._("This link does not work any more.")}
        _signed, error = self._receivables_try(
            lambda: self._receivables_accept(kind, record, name, signature)
        )
        if error:
            return {"error": error}
        path = self._receivables_paper_path(record, file, access_token)
        return {"force_refresh": True, "redirect_url": path(done="signed")}

    @http.route(
        '/my/receivables/<any("plan"):kind>/<int:record_id>/refuse',
        type="http",
        auth="public",
        website=True,
        sitemap=False,
        methods=["POST"],
    )
    def portal_receivables_refuse_plan(self, kind, record_id, access_token=None, **post):
        """Refuse a plan and say what should be changed."""
        plan, file = self._receivables_paper(kind, record_id, access_token)
        if not plan:
            return self._receivables_refuse(record_id, access_token)
        _refused, error = self._receivables_try(
            lambda: plan._refuse_in_portal(post.get("name"), post.get("comment"))
        )
        if error:
            return self._receivables_show(
                kind, plan, file, access_token, error=error, post=post, report=None, done=None
            )
        return request.redirect(self._receivables_values(file, access_token)["path"](done="refuse"))

    def _receivables_paper(self, kind, record_id, access_token):
        """``(record, its credit file)`` that the visitor may see, both as superuser.

        The link of the customer's page opens it; it has no token of its own.
        """
        model = PAPERS[kind][0]
        owner = request.env[model].sudo().browse(record_id).exists().file_id
        file = self._receivables_file(owner.id or -1, access_token)
        papers = file._portal_papers(file)[file] if file else []
        record = [paper for paper in papers if paper._name == model and paper.id == record_id]
        if not record:
            return request.env[model], file
        return record[0], file

    def _receivables_paper_path(self, record, file, access_token):
        token = access_token if file._portal_find(access_token or "") else ""
        return self._receivables_path(record.access_url, token)

    def _receivables_confirmation(self, record):
        """What is signed with an acknowledgement."""
        if record._name != "ar.debt.acknowledgement":
            return ""
        return request.env._(
            "By signing you confirm that on %(date)s you owe %(company)s the amount above.",
            date=format_date(record.env, record.date),
            company=record.company_id.name,
        )

    def _receivables_signed_text(self, record):
        if not record.signed_on:
            return ""
        day = fields.Datetime.context_timestamp(record, record.signed_on).date()
        return request.env._(
            "Signed by %(name)s on %(date)s",
            name=record.signed_by,
            date=format_date(record.env, day),
        )

    def _receivables_accept(self, kind, record, name, signature):
        if not signature or len(signature) > MAX_SIGNATURE:
            raise UserError(request.env._("Draw your signature."))
        try:
            b64decode(signature, validate=True)
        except (binascii.Error, ValueError) as error:
            raise UserError(request.env._("Draw your signature.")) from error
        if kind == "plan":
            return record._accept(name, signature)
        if record.state != "sent":
            raise UserError(request.env._("%s is signed already.", record.name))
        return record._sign(name, signature)
