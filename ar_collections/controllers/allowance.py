from odoo import http
from odoo.http import content_disposition, request

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class AllowanceReport(http.Controller):
    @http.route(
        "/ar_collections/allowance/<model('ar.allowance.run'):run>/xlsx",
        type="http",
        auth="user",
        readonly=True,
    )
    def allowance_xlsx(self, run, **kwargs):
        """The allowance by customer and bucket, for whoever may read the run."""
        run.check_access("read")
        name = f"{run.display_name.replace('/', '-')}.xlsx"
        headers = [("Content-Type", XLSX), ("Content-Disposition", content_disposition(name))]
        return request.make_response(request.env["ar.allowance.report"]._get_workbook(run), headers)
