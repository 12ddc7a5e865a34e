from collections import defaultdict

from odoo import api, models


class ArCustomerMerge(models.AbstractModel):
    """Brings together what companies know of customers who become one, or part.

    Of several credit files in one company one stays: the target's when it has one. Each wing
    brings its own records over. What was agreed about items goes where the items go.
    """

    _name = "ar.customer.merge"
    _description = "Merge of Customers"

    @api.model
    def _follow_contacts(self, former):
        """Follow contacts that belong to another customer than before.

        Who is no customer any more is merged into the one that it belongs to now.

        :param former: ``{res.partner: its commercial partner until now}``
        """
        moved = {
            contact: customer
            for contact, customer in former.items()
            if contact.commercial_partner_id != customer
        }
        if not moved:
            return
        customers = self.env["res.partner"].union(
            *moved.values(), *(contact.commercial_partner_id for contact in moved)
        )
        gone = customers.filtered(lambda customer: customer.commercial_partner_id != customer)
        for target, sources in gone.grouped("commercial_partner_id").items():
            self._merge_customers(sources, target)
        self._follow_items(customers)

    @api.model
    def _follow_items(self, customers):
        """Give what was agreed about items to the customer whose they are now; wings extend it.

        :param customers: ``res.partner``, before and now, whose items may have changed hands
        """
        files = self.env["ar.credit.file"].search([("partner_id", "in", customers.ids)])
        for company, same in files.grouped("company_id").items():
            self.env["ar.ledger.touch"]._touch_customers(company, customers)
            same._push_limit()

    @api.model
    def _give_to_owner(self, records, name):
        """Give records with items to the customer who owes most of what they are about.

        :param name: the field with their lines, which have ``move_line_id`` and ``amount``
        """
        given = defaultdict(records.browse)
        for record in records:
            amounts = defaultdict(float)
            for line in record[name]:
                if owner := line.move_line_id.partner_id.commercial_partner_id:
                    amounts[owner] += line.amount
            most = max(amounts.values(), default=0)
            owners = [owner for owner, amount in amounts.items() if amount == most]
            if owners and record.partner_id not in owners:
                given[owners[0], record.company_id] += record
        for (owner, company), same in given.items():
            self.env["ar.credit.file"]._get_file(owner, company, create=True)
            same.write({"partner_id": owner.id})

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
        self.env["ar.credit.rating"].search([("partner_id", "in", sources.ids)]).partner_id = target

    @api.model
    def _bring_over(self, file, doubles, target):
        """Give the file that stays what belongs to the others; upper wings extend it.

        :param file: the credit file of the company that stays, of the target or soon to be
        :param doubles: the files that will be gone
        """
        doubles.review_ids._move_to(file)
        self._move_by_file(self.env["ar.credit.cover"], file, doubles)
        self._move_by_file(self.env["ar.credit.history"], file, doubles)
        self._move_statements(file, doubles)
        self._move_by_file(self.env["ar.credit.bank.line"], file, doubles)
        self._move_by_file(self.env["ar.credit.release"], file, doubles)
        doubles.member_ids.parent_id = file

    @api.model
    def _move_statements(self, file, doubles):
        """Of two statements of one year that of the file stays."""
        statements = self.env["ar.credit.statement"]
        known = set(statements.search([("file_id", "=", file.id)]).mapped("year"))
        for statement in statements.search([("file_id", "in", doubles.ids)]):
            if statement.year not in known:
                known.add(statement.year)
                statement.file_id = file

    @api.model
    def _move_by_file(self, records, file, doubles):
        """Give one file the records of a model that have their customer from it."""
        records.search([("file_id", "in", doubles.ids)]).file_id = file

    @api.model
    def _move_to_file(self, records, file, doubles, target):
        """Give the file that stays, and its customer, the records of a model with cases."""
        former = records.search([("file_id", "in", (file | doubles).ids)])
        for case, same in former.grouped("case_id").items():
            same.write({"partner_id": target.id})
            # Not what would be computed of the new customer: the case in which it was agreed.
            same.write({"file_id": file.id, "case_id": case.id})
