from unittest.mock import patch

from .common import CollectionsCommon


class TestPerformance(CollectionsCommon):
    """Queries are counted per batch, not per customer."""

    def _queries(self, function):
        self.env.cr.flush()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        function()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def _customers(self, name, count, due):
        customers = self.env["res.partner"].union(
            *(self._customer(f"{name} {index}") for index in range(count))
        )
        for customer in customers:
            self._invoice(customer, 100, due=due)
        return customers

    def test_run_costs_the_same_for_5_and_50(self):
        self._customers("Warm", 2, due=-1)
        self._run(0)
        self._customers("Few", 5, due=6)
        few = self._queries(lambda: self._run(7))
        self._customers("Many", 50, due=13)
        many = self._queries(lambda: self._run(14))
        mails = self.env["mail.mail"].search_count(
            [
                (
                    "mail_message_id.res_id",
                    "in",
                    self.env["ar.collection.case"]
                    .search([("date_opened", "=", self._day(14))])
                    .ids,
                ),
            ]
        )
        self.assertEqual(mails, 50)
        self.assertLessEqual(many, few + 15, "a few rows more in batched inserts, no more")

    def test_figures_are_one_statement(self):
        position = self.env["ar.position"]
        self._customers("Few", 5, due=-1)
        # The first one reads the currency, too, which stays in the cache.
        position._figures(self.company, self.today)
        few = self._queries(lambda: position._figures(self.company, self.today))
        self._customers("Many", 30, due=-1)
        many = self._queries(lambda: position._figures(self.company, self.today))
        self.assertEqual(few, many)
        self.assertLessEqual(few, 6)

    def test_partner_list(self):
        few = self._customers("Few", 5, due=-1)
        many = self._customers("Many", 30, due=-1)
        self._run(0)
        fields = ["credit_grade_id", "credit_hold", "amount_overdue", "days_overdue"]
        few.read(fields)
        self.assertEqual(
            self._queries(lambda: few.read(fields)), self._queries(lambda: many.read(fields))
        )

    def test_payment_of_many_invoices(self):
        """The ledger's own transaction pays a fixed price for the whole batch."""
        few = self._customers("Few", 3, due=-1)
        many = self._customers("Many", 30, due=-1)
        self._run(0)

        def changed(partners):
            lines = self.env["account.move.line"].search(
                [
                    ("partner_id", "in", partners.ids),
                    ("account_type", "=", "asset_receivable"),
                ]
            )
            return self._queries(lambda: self._follow(lines))

        changed(few)
        self.assertEqual(changed(few), changed(many))

    def test_closing_many_cases(self):
        """Whatever ended them: money, a credit note that nobody has matched, or nothing."""
        customers = {name: self._customers(name, n, due=-1) for name, n in (("A", 6), ("B", 36))}
        self._run(0)

        def close(customers):
            third = len(customers) // 3
            credited, paid = customers[:third], customers[third : 2 * third]
            moves = self.env["account.move"].search(
                [("partner_id", "in", paid.ids), ("move_type", "=", "out_invoice")]
            )
            for move in moves:
                self._pay(move, amount=60)
            for customer in credited:
                self._invoice(customer, 5, due=-1, move_type="out_refund")
            self.env["ar.ledger.touch"]._settle_touched()
            cases = self.env["ar.collection.case"].search([("partner_id", "in", customers.ids)])
            cases = cases.sudo()
            cost = self._queries(lambda: cases._close(self.today))
            reasons = {case.partner_id: case.close_reason for case in cases}
            for customer in customers:
                expected = "credited" if customer in credited else "cancelled"
                self.assertEqual(
                    reasons[customer], "paid" if customer in paid else expected, customer.name
                )
            return cost

        few = close(customers["A"])
        self.assertLessEqual(close(customers["B"]), few + 4)

    def _follow(self, lines):
        touch = self.env["ar.ledger.touch"]
        touch._touch_items(lines)
        touch._settle_touched()

    def _drafts(self, customers):
        return self.env["account.move"].union(
            *(self._invoice(customer, 10, due=30, post=False) for customer in customers)
        )

    def test_control_of_a_batch(self):
        """Two statements, however many invoices of however many customers."""
        few, many = self._customers("Few", 3, due=-1), self._customers("Many", 30, due=-1)
        control = self.env["ar.credit.control"]
        for limited in (False, True):
            files = self.env["ar.credit.file"].search([("partner_id", "in", (few | many).ids)])
            files.write({"limit_mode": "custom" if limited else "grade", "custom_limit": 10**6})
            for customers in (few, many):
                drafts = self._drafts(customers)
                drafts._ar_credit_demands()  # posting reads these fields anyway
                with self.assertQueryCount(2):
                    control._gate(drafts)

    def test_posting_costs_the_same_for_many_customers(self):
        """What we add to the posting of a batch does not grow with it."""
        few, many = self._customers("Few", 3, due=-1), self._customers("Many", 30, due=-1)
        self._run(0)
        control = self.env["ar.credit.control"]
        for customers in (few, many):
            self._drafts(customers[:1]).action_post()
        added = []
        for customers in (few, many):
            drafts = self._drafts(customers)
            gate = self._queries(lambda drafts=drafts: control._gate(drafts))
            drafts.action_post()
            added.append(gate + self._queries(lambda d=drafts: self._follow(d.line_ids)))
        self.assertLessEqual(added[1], added[0])

    def test_posting_one_invoice(self):
        """Two statements decide, two bring the credit file up to date; Odoo's own stay as many."""
        customer = self._customers("One", 1, due=30)
        self._run(0)
        customer.credit_file_id.write({"limit_mode": "custom", "custom_limit": 10**6})
        registry = self.registry
        ours, stock = [], []
        for _turn in range(3):
            drafts = [self._drafts(customer) for _each in range(2)]
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            drafts[0].action_post()
            self.env.cr.flush()
            ours.append(self.env.cr.sql_log_count - before)
            with (
                patch.object(registry["ar.credit.control"], "_gate", lambda self, moves: moves),
                patch.object(registry["ar.ledger.touch"], "_touch_items", lambda *args, **kw: None),
            ):
                before = self.env.cr.sql_log_count
                drafts[1].action_post()
                self.env.cr.flush()
                stock.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(ours[-1] - stock[-1], 4, (ours, stock))
