from odoo import Command
from odoo.tests import new_test_user, tagged

from .common import CollectionsCommon


@tagged("post_install", "-at_install")
class TestCustomerMerge(CollectionsCommon):
    """Whose an item is decides whose is what was agreed about it: everybody gives one answer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.person = cls._customer("Person", is_company=False)
        cls.firm = cls._customer("Firm")
        cls.other_firm = cls._customer("Other firm")
        cls.invoices = cls.env["account.move"].union(
            *(cls._invoice(cls.person, 400, due=-16) for _number in range(4))
        )

    def setUp(self):
        super().setUp()
        self.run_day = 0

    def _item(self, move):
        return move.line_ids.filtered(lambda line: line.account_type == "asset_receivable")

    def _agree(self):
        """A promise, a dispute and a plan of 400 each, and 400 that are asked for."""
        self._run(0)
        values = {"partner_id": self.person.id, "company_id": self.company.id}
        items = [self._item(move) for move in self.invoices]
        lines = [[Command.create({"move_line_id": item.id, "amount": 400})] for item in items]
        promise = self.env["ar.payment.promise"].create(
            {**values, "amount": 400, "date": self._day(9), "line_ids": lines[0]}
        )
        dispute = self.env["ar.dispute"].create(
            {
                **values,
                "reason_id": self.env.ref("ar_collections.dispute_reason_other").id,
                "line_ids": lines[1],
            }
        )
        plan = self.env["ar.payment.plan"].create({**values, "item_ids": lines[2]})
        plan._distribute_instalments(count=2, first_date=self._day(7), period="week")
        plan.action_propose()
        plan.sudo()._accept("Person")
        request = self.env["ar.writeoff.request"].create(
            {
                **values,
                "reason_id": self.env["ar.writeoff.reason"].search([], limit=1).id,
                "line_ids": [Command.create({"move_line_id": items[3].id, "amount": 100})],
            }
        )
        return promise, dispute, plan, request

    def _check_answers(self, agreed, customer, former):
        """All records are of the customer, and all who are asked say the same of it."""
        self.env.flush_all()
        self.env.invalidate_all()
        position, key = self.env["ar.position"], (self.company.id, customer.id)
        file = self.env["ar.credit.file"]._get_file(customer, self.company)
        for record in agreed:
            self.assertEqual((record.partner_id, record.file_id), (customer, file), record)
        self.assertEqual(agreed[3].line_ids.partner_id, customer)
        everybody = position._figures(self.company, self.today)
        for figures in (
            everybody[key],
            position._figures(self.company, self.today, customer)[key],
            position._figures(self.company, self.today, customer | former)[key],
        ):
            self.assertEqual(
                (figures.open_amount, figures.promised, figures.disputed), (1600, 800, 400)
            )
            self.assertEqual(figures.demand_amount, 400)
        for demands in (
            position._net_demand(self.company, self.today),
            position._net_demand(self.company, self.today, customer),
        ):
            self.assertEqual(demands[key].amount, 400)
        self.assertRecordValues(file, [{"open_amount": 1600, "promised": 800, "disputed": 400}])
        items = self.env["ar.portal.statement"]._get_items(file, self.today)
        self.assertEqual(sum(item.payable for item in items if item.state == "overdue"), 400)
        # Nothing of it is left behind.
        self.assertNotIn((self.company.id, former.id), everybody)
        self.assertFalse(
            self.env["ar.collection.case"].search(
                [("partner_id", "=", former.id), ("state", "!=", "closed")]
            )
        )
        self.run_day += 1
        self._run(self.run_day)
        case = self._case(customer)
        self.assertRecordValues(
            case,
            [
                {
                    "state": "open",
                    "amount_promised": 800,
                    "amount_disputed": 400,
                    "amount_demand": 400,
                }
            ],
        )

    def test_person_gets_a_parent_company(self):
        """Set, changed and cleared by somebody who has no rights on collection."""
        agreed = self._agree()
        case = agreed[0].case_id
        user = new_test_user(self.env, "contacts", "base.group_user,base.group_partner_manager")
        person = self.person.with_user(user)
        person.parent_id = self.firm
        self.assertEqual(case.partner_id, self.firm)
        self._check_answers(agreed, self.firm, self.person)
        self.assertEqual(agreed[0].case_id, case)
        # Odoo leaves the entries where they are: with them stays what was agreed about them.
        person.parent_id = self.other_firm
        self._check_answers(agreed, self.firm, self.other_firm)
        person.parent_id = False
        self._check_answers(agreed, self.firm, self.person)
        # Another debt is of the person alone.
        self._invoice(self.person, 70, due=-16)
        key = (self.company.id, self.person.id)
        self.assertEqual(
            self.env["ar.position"]._figures(self.company, self.today)[key].open_amount, 70
        )
        # Both had a case by now: one stays.
        self._run(self.run_day + 1)
        self.assertEqual(self._case(self.person).state, "open")
        person.parent_id = self.firm
        cases = self.env["ar.collection.case"].search([("partner_id", "=", self.firm.id)])
        self.assertEqual(sorted(cases.mapped("state")), ["closed", "open"])
        self.assertFalse(self.env["ar.credit.file"].search([("partner_id", "=", self.person.id)]))

    def test_contact_becomes_a_customer_and_back(self):
        """The entries of a branch office follow it, from and to the firm that it belongs to."""
        self.person.is_company = True
        self.person.parent_id = self.firm
        agreed = self._agree()
        self._check_answers(agreed, self.person, self.firm)
        self.person.is_company = False
        self._check_answers(agreed, self.firm, self.person)
        self.person.is_company = True
        self._check_answers(agreed, self.person, self.firm)

    def test_agreed_about_items_of_two(self):
        """It stays with who owes most of it; each item is promised for whose it is."""
        self.person.write({"is_company": True, "parent_id": self.firm.id})
        self.person.is_company = False
        own = self._invoice(self.firm, 300, due=-16)
        self._run(0)
        promise = self.env["ar.payment.promise"].create(
            {
                "partner_id": self.firm.id,
                "company_id": self.company.id,
                "amount": 500,
                "date": self._day(9),
                "line_ids": [
                    Command.create({"move_line_id": self._item(own).id, "amount": 300}),
                    Command.create(
                        {"move_line_id": self._item(self.invoices[0]).id, "amount": 200}
                    ),
                ],
            }
        )
        self.person.is_company = True
        self.assertEqual(promise.partner_id, self.firm)
        for partner, promised in ((self.firm, 300), (self.person, 200)):
            key = (self.company.id, partner.id)
            for scope in (None, partner):
                figures = self.env["ar.position"]._figures(self.company, self.today, scope)
                self.assertEqual(figures[key].promised, promised)

    def test_contact_of_a_customer_is_merged(self):
        """A contact leaves a customer with its entries, and the customer stays."""
        self.person.write({"is_company": True, "parent_id": self.firm.id})
        self.person.is_company = False
        agreed = self._agree()
        self._check_answers(agreed, self.firm, self.other_firm)
        self.env["base.partner.merge.automatic.wizard"]._merge(
            (self.person | self.other_firm).ids, self.other_firm
        )
        self._check_answers(agreed, self.other_firm, self.firm)

    def test_a_case_that_came_along_asks_for_what_is_left(self):
        self._invoice(self.firm, 5000, due=-20, move_type="out_refund")
        self._run(0)
        case = self._case(self.person)
        self.assertEqual((case.state, case.amount_demand), ("open", 1600))
        self.person.parent_id = self.firm
        self.assertEqual((case.partner_id, case.state), (self.firm, "closed"))
