from odoo import SUPERUSER_ID, http
from odoo.exceptions import UserError
from odoo.http import request

from ..models.portal.portal_application import MAX_REFERENCES
from ..models.portal.portal_claim import MAX_BYTES, MAX_FILES
from .portal import reads
from .portal_forms import DISPUTE_ROUTE, ReceivablesForms

MOST_DAYS = 365


class CreditApplication(ReceivablesForms):
    """The form by which a customer who is logged in asks for credit."""

    @http.route(
        "/my/credit-application",
        type="http",
        auth="user",
        website=True,
        sitemap=False,
        methods=["GET", "POST"],
        readonly=reads,
        **DISPUTE_ROUTE,
    )
    def portal_credit_application(self, **post):
        company = request.env.company.root_id.with_user(SUPERUSER_ID)
        applications = request.env["ar.portal.application"].with_env(company.env)
        error = application = None
        if request.httprequest.method == "POST":
            application, error = self._receivables_act(
                lambda: applications._apply(
                    request.env.user,
                    company,
                    post.get("name"),
                    self._receivables_amount(post.get("amount")),
                    self._application_days(post.get("term_days")),
                    (post.get("note") or "").strip(),
                    [
                        (
                            (post.get(f"firm_{number}") or "").strip(),
                            (post.get(f"contact_{number}") or "").strip(),
                        )
                        for number in range(MAX_REFERENCES)
                    ],
                    [
                        (upload.filename, upload.read(MAX_BYTES + 1))
                        for upload in request.httprequest.files.getlist("files")
                        if upload.filename
                    ],
                )
            )
        partner = request.env.user.partner_id.commercial_partner_id
        undecided = applications._get_undecided(partner, company)
        return request.render(
            "ar_collections.portal_credit_application",
            {
                "page_name": "credit_application",
                "res_company": company,
                "application": application or undecided,
                "error": error,
                "post": post,
                "visitor": request.env.user.name,
                "numbers": range(MAX_REFERENCES),
                "files_help": request.env._(
                    "Up to %(files)s files of %(size)s MB each: PDF, photos, Excel or Word.",
                    files=MAX_FILES,
                    size=MAX_BYTES // 1024 // 1024,
                ),
            },
        )

    def _application_days(self, text):
        text = (text or "").strip()
        if not text:
            return 0
        if not text.isdecimal() or int(text) > MOST_DAYS:
            raise UserError(request.env._("“%s” is no number of days.", text[:20]))
        return int(text)
