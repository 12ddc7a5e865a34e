from collections import defaultdict
from datetime import date

from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from ..models.common.res_company import Clock
from .allowance_common import AllowanceCommon
from .common_writeoff import WriteoffCommon
from .test_position import oracle

MONTHS = (date(2030, 3, 31), date(2030, 4, 30), date(2030, 5, 31))
RATES = (0.01, 0.02, 0.03, 0.05, 0.2, 0.5)
AMOUNT = st.integers(1, 200_000).map(lambda cents: cents / 100)
EVENT = st.tuples(
    st.sampled_from(
        (
            "invoice",
            "foreign",
            "branch",
            "refund",
            "pay",
            "part",
            "by_hand",
            "write_off",
            "write_off",
            "write_off_part",
            "reverse_write_off",
            "recover",
        )
    ),
    st.integers(0, 30),
    st.integers(1, 28),
    AMOUNT,
)
MONTH = st.tuples(
    st.lists(EVENT, min_size=3, max_size=7),
    st.sampled_from(("post", "post", "post and reverse", "post, reverse, post", "nothing")),
)


class TestAllowanceProperty(AllowanceCommon, WriteoffCommon):
    """Whatever happens, ledger, lines and movement are those of a slow and obvious oracle."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.foreign = cls.setup_other_currency(
            "EUR", rates=[("2020-01-01", 2.0), ("2030-03-20", 3.0), ("2030-05-10", 1.7)]
        )
        cls.other = cls._customer("Other")
        # Whatever the risk is, the oracle knows one ladder.
        for cell in cls.env["ar.allowance.rate"]._get_matrix(cls.company):
            buckets = cls.env["ar.ageing.bucket"]._get_buckets(cls.company)
            cell.rate = RATES[buckets.ids.index(cell.bucket_id.id)]
        # What comes back after all goes to the allowance.
        cls.reason.recovery_account_id = cls.allowance_account

    # Without shrinking: an example costs seconds, and any of them shows the fault.
    @settings(
        max_examples=6,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.tuples(MONTH, MONTH, MONTH))
    def test_any_sequence(self, months):
        with self.env.cr.savepoint() as savepoint:
            self.invoices = self.env["account.move"]
            self.requests = self.env["ar.writeoff.request"]
            self.closing = defaultdict(float)
            # What happened to the account since the last posted run.
            self.by_hand = 0.0
            self.used, self.recovered = defaultdict(float), defaultdict(float)
            self.invoices |= self._invoice(self.other, 500, due=-150, date_=date(2029, 12, 5))
            for end, (events, ending) in zip(MONTHS, months, strict=True):
                for event in sorted(events, key=lambda event: event[2]):
                    self._event(end, *event)
                if ending != "nothing":
                    self._close(end, ending)
            savepoint.rollback()
        self.env.invalidate_all()

    def _event(self, end, kind, index, day, amount):
        day = (end.replace(day=day) - self.today).days
        partner = self.other if index % 2 else self.customer
        if kind in ("invoice", "foreign", "branch", "refund"):
            self.invoices |= self._invoice(
                partner,
                amount,
                due=day + index - 5,
                date_=self._day(day),
                currency=self.foreign if kind == "foreign" else None,
                company=self.branch if kind == "branch" else None,
                move_type="out_refund" if kind == "refund" else "out_invoice",
            )
        elif kind == "by_hand":
            self._manual_entry(amount, self._day(day))
            self.by_hand += amount
        elif kind == "reverse_write_off":
            self._reverse_write_off(index, day)
        elif kind == "recover":
            self._recover(partner, amount, day)
        else:
            open_ones = self.invoices.filtered(
                lambda move: move.amount_residual and move.move_type == "out_invoice"
            )
            if open_ones:
                invoice = open_ones[index % len(open_ones)]
                part = min(amount, invoice.amount_residual) if kind.endswith("part") else None
                if kind in ("pay", "part"):
                    self._pay(invoice, part, day)
                else:
                    self._write_off(invoice, part, day)

    def _on(self, records, day):
        """As the one who books, on that day of the test."""
        return records.with_user(self.biller).with_context(ar_clock=Clock(self._day(day)))

    def _write_off(self, invoice, part, day):
        item = self._items(invoice)
        partner = invoice.commercial_partner_id
        before, open_before = item.amount_residual, item.amount_residual_currency
        left = max(round(self.closing[partner.id] - self.used[partner.id], 2), 0)
        request = self._approved({item: part or open_before}, date=self._day(day))
        self._on(request, day).action_post()
        self.requests |= request
        loss = round(before - item.amount_residual, 2)
        self.assertAlmostEqual(item.amount_residual_currency, open_before - (part or open_before))
        self.assertAlmostEqual(request.amount_total, loss)
        used = min(loss, left)
        self.assertAlmostEqual(request.amount_allowance, used, 2)
        booked = request.move_id.line_ids.filtered(
            lambda line: line.account_id == self.allowance_account
        )
        self.assertAlmostEqual(sum(booked.mapped("balance")), used, 2)
        self.assertEqual(booked.partner_id, partner if used else booked.partner_id.browse())
        self.used[partner.id] += used

    def _reverse_write_off(self, index, day):
        posted = self.requests.filtered(
            lambda request: (
                request.state == "posted"
                and not request.amount_recovered
                and request.move_id.date <= self._day(day)
            )
        )
        if posted:
            request = posted[index % len(posted)]
            self._on(request, day).action_reverse()
            self.used[request.partner_id.id] -= request.amount_allowance

    def _recover(self, partner, amount, day):
        """The customer pays when it has been written off; what is beyond that stays open."""
        requests = self.requests.filtered(
            lambda request: (
                request.state == "posted"
                and request.partner_id == partner
                and request.move_id.date <= self._day(day)
            )
        )
        missing = round(
            sum(requests.mapped("amount_total")) - sum(requests.mapped("amount_recovered")), 2
        )
        if not missing or len(requests) != len(
            self.env["ar.writeoff.recovery.booking"]._get_open_requests(partner, self.company)
        ):
            return
        payment = self.env["account.payment"].create(
            {
                "partner_id": partner.id,
                "partner_type": "customer",
                "payment_type": "inbound",
                "amount": amount,
                "date": self._day(day),
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        payment.action_post()
        self._on(self._items(payment.move_id), day).action_ar_recover()
        self.recovered[partner.id] += min(amount, missing)

    def _close(self, end, ending):
        run = self._allowance(end, include_others=True)
        self._compare(run, end)
        if "reverse" in ending:
            run.with_user(self.checker).action_reverse()
            self.assertEqual(self._balance(date=end), self._book())
            if not ending.endswith("post"):
                return
            run = self._allowance(end, include_others=True)
            self._compare(run, end)
        self.closing = self._expected(end)
        self.by_hand = 0.0
        self.used.clear()
        self.recovered.clear()

    def _book(self):
        """What the account holds without the month's run, by what this test did itself."""
        return self.company.currency_id.round(
            sum(self.closing.values())
            + self.by_hand
            - sum(self.used.values())
            + sum(self.recovered.values())
        )

    def _expected(self, end):
        """``{customer id: allowance}``, one bucket after the other by hand."""
        expected = defaultdict(float)
        for (_company, partner_id), figures in oracle(self.env, self.company, end).items():
            names = ("not_due", *(f"bucket{index}" for index in range(1, 6)))
            credit = -figures["unallocated"]
            for name, rate in reversed(list(zip(names, RATES, strict=True))):
                used = min(credit, figures[name])
                credit -= used
                expected[partner_id] += self.company.currency_id.round(
                    (figures[name] - used) * rate
                )
        return expected

    def _compare(self, run, end):
        expected = self._expected(end)
        closing = {
            partner.id: amount
            for partner, amount in self.env["ar.allowance.movement"]._read_group(
                [("run_id", "=", run.id)], ["partner_id"], ["closing:sum"]
            )
        }
        for partner_id in expected.keys() | closing.keys():
            self.assertAlmostEqual(
                closing.get(partner_id, 0), expected.get(partner_id, 0), 2, (partner_id, end)
            )
        self.assertAlmostEqual(run.closing, sum(expected.values()), 2)
        self.assertAlmostEqual(sum(run.line_ids.mapped("amount")), run.closing, 2)
        self.assertAlmostEqual(self._balance(date=end), run.closing, 2)
        self.assertEqual(run.difference, 0)
        self.assertAlmostEqual(run.opening, sum(self.closing.values()), 2)
        self.assertAlmostEqual(run.taken_over, self.by_hand, 2)
        self.assertAlmostEqual(
            run.opening + run.taken_over - run.used + run.recovered, self._book(), 2
        )
        for row in (run, *run.movement_ids):
            self.assertAlmostEqual(
                row.opening + row.taken_over - row.used + row.recovered + row.added - row.released,
                row.closing,
                2,
            )
        for movement in run.movement_ids:
            partner_id = movement.partner_id.id
            self.assertAlmostEqual(movement.opening, self.closing.get(partner_id, 0), 2)
            self.assertAlmostEqual(movement.used, self.used.get(partner_id, 0), 2)
            self.assertAlmostEqual(movement.recovered, self.recovered.get(partner_id, 0), 2)
