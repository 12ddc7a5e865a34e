import time

from odoo import fields, http
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools import format_date

from ..models.agreement.signable import Signer
from ..models.portal.portal_link import MAX_ID
from .portal import ReceivablesPortal, reads

# Who confirmed its address signs within an hour.
CONFIRMED_SECONDS = 3600
ROUTE = '/my/receivables/<any("plan","acknowledgement"):kind>/<int:record_id>'


class ReceivablesPapers(ReceivablesPortal):
    """Payment plans and debt acknowledgements, which the customer reads and signs."""

    @http.route(ROUTE, type="http", auth="public", website=True, sitemap=False, readonly=reads)
    def portal_receivables_paper(
        self, kind, record_id, access_token=None, report_type=None, done=None, error=None, **post
    ):
        """One plan or acknowledgement, as a page or as PDF."""
        record, file = self._receivables_paper(kind, record_id, access_token)
        if not record:
            return self._receivables_refuse(record_id, access_token)
        report = request.env.ref(record._paper, raise_if_not_found=False)
        if report_type == "pdf" and report:
            content, _type = (
                report.sudo()
                .with_company(file.company_id)
                ._render_qweb_pdf(record._paper, record.ids)
            )
            return self._receivables_pdf(content, f"{record.name.replace('/', '_')}.pdf")
        return self._receivables_show(kind, record, file, access_token, done=done, report=report)

    def _receivables_show(self, kind, record, file, access_token, **values):
        signer = self._receivables_signer(record, file)
        return request.render(
            f"ar_collections.portal_receivables_{kind}",
            self._receivables_values(
                file,
                access_token,
                kind=kind,
                record=record,
                signer=signer,
                signer_text=signer and request.env._("You sign as %s.", signer.email),
                signed_text=self._receivables_signed_text(record),
                confirmation=self._receivables_confirmation(record),
                paper_path=self._receivables_paper_path(record, file, access_token),
                **values,
            ),
        )

    @http.route(f"{ROUTE}/sign", type="jsonrpc", auth="public", website=True)
    def portal_receivables_sign(self, kind, record_id, name=None, signature=None, **kwargs):
        """Sign with a name and a drawn signature, once it is known who signs.

        :return: what ``portal.signature_form`` expects: an error, or where to go
        """
        access_token = request.httprequest.args.get("access_token")
        record, file = self._receivables_paper(kind, record_id, access_token)
        if not record:
            return {"error": request.env._("This link does not work any more.")}
        _signed, error = self._receivables_act(
            lambda: self._receivables_accept(kind, record, file, name, signature)
        )
        if error:
            return {"error": error}
        path = self._receivables_paper_path(record, file, access_token)
        return {"force_refresh": True, "redirect_url": path(done="signed")}

    @http.route(
        f"{ROUTE}/signer",
        type="http",
        auth="public",
        website=True,
        sitemap=False,
        methods=["POST"],
    )
    def portal_receivables_signer(
        self, kind, record_id, access_token=None, email=None, code=None, **post
    ):
        """Say who signs: an address first, then the code that was sent to it."""
        record, file = self._receivables_paper(kind, record_id, access_token)
        if not record:
            return self._receivables_refuse(record_id, access_token)
        if code is None:
            done = "code"
            _sent, error = self._receivables_act(lambda: record._send_signing_code(email))
        else:
            done = "confirmed"
            confirmed = record._confirm_signing_code(code)
            error = None if confirmed else request.env._("This code is wrong or too old.")
            if confirmed:
                until = time.time() + CONFIRMED_SECONDS
                request.session["ar_signer"] = [kind, record_id, confirmed, until]
        if error:
            sent = code is not None and "code"
            return self._receivables_show(
                kind, record, file, access_token, error=error, post=post, report=None, done=sent
            )
        return request.redirect(self._receivables_paper_path(record, file, access_token)(done=done))

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
        _refused, error = self._receivables_act(
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
        found = request.env["ar.signable"]._find_paper(kind, min(record_id, MAX_ID))
        file = self._receivables_file(found.file_id.id or -1, access_token)
        papers = file._portal_papers(file)[file] if file else []
        record = [paper for paper in papers if paper == found]
        return (record[0] if record else found.browse()), file

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

    def _receivables_signer(self, record, file):
        """:class:`Signer`, ``None`` as long as nobody knows who the visitor is."""
        user = request.env.user
        kind, record_id, email, until = request.session.get("ar_signer") or ("", 0, "", 0)
        if not user._is_public() and user.partner_id.commercial_partner_id == file.partner_id:
            email, way = user.email_normalized or user.login, "login"
        elif [kind, record_id] == [record._page, record.id] and time.time() < until:
            way = "code"
        else:
            return None
        sent = request.httprequest
        return Signer(email, way, sent.remote_addr or "", sent.user_agent.string or "")

    def _receivables_accept(self, kind, record, file, name, signature):
        claims = file.env["ar.portal.claim"]
        signer = self._receivables_signer(record, file)
        if not signer:
            raise UserError(request.env._("Confirm your e-mail address first."))
        claims._check_words(name, "")
        claims._check_signature(signature)
        if kind == "plan":
            record._accept(name, signature)
        elif record.state == "sent":
            record._sign(name, signature)
        else:
            raise UserError(request.env._("%s is signed already.", record.name))
        record._keep_evidence(signer)
