from odoo import api, models


class ArCustomerMerge(models.AbstractModel):
    """Brings together what companies know of customers who become one.

    Of several credit files in one company one stays: the target's when it has one. Each wing
    brings its own records over.
    """

    _name = "ar.customer.merge"
    _description = "Merge of Customers"

    @api.model
    def _merge_customers(self, sources, target):
        """Bring over all records of customers before Odoo makes them one.

        :param sources: ``res.partner`` that will be gone
        :param target: commercial partner that stays
        """
        files = self.env["ar.credit.file"].search([("partner_id", "in", (sources | target).ids)])
        for company_files in files.grouped("company_id").values():
            file = company_files.filtered(lambda file: file.partner_id == target)
            file = file or company_files[:1]
            held = company_files.filtered("hold")[:1]
            hold = held.hold_reason, held.hold_date, held.hold_cause
            self._bring_over(file, company_files - file, target)
            if held and not file.hold:
                file._set_hold(*hold)
            (company_files - file).unlink()
            file.partner_id = target

    @api.model
    def _bring_over(self, file, doubles, target):
        """Give the file that stays what belongs to the others; upper wings extend it.

        :param file: the credit file of the company that stays, of the target or soon to be
        :param doubles: the files that will be gone
        """
        doubles.review_ids._move_to(file)
        self._move_to_file(self.env["ar.credit.cover"], file, doubles)
        self._move_to_file(self.env["ar.credit.history"], file, doubles)
        self._move_to_file(self.env["ar.credit.release"], file, doubles)
        doubles.member_ids.parent_id = file

    @api.model
    def _move_to_file(self, records, file, doubles):
        """Give one file the records of a model that others have by ``file_id``."""
        records.search([("file_id", "in", doubles.ids)]).file_id = file
