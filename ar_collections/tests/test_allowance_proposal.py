from datetime import date

from dateutil.relativedelta import relativedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from ..wizard.allowance_proposal import chain
from .allowance_common import AllowanceCommon


class TestAllowanceProposal(AllowanceCommon):
    """Loss rates out of the company's own past."""

    def _snapshots(self, *months, partner=None, company=None, tier="medium"):
        """One snapshot per month, the last one of May 2030: amounts by bucket, not due first."""
        company = company or self.company
        buckets = self.env["ar.ageing.bucket"]._get_buckets(company)
        last = date(2030, 5, 31)
        for back, amounts in enumerate(reversed(months)):
            day = last + relativedelta(day=1) - relativedelta(months=back)
            self.env["ar.ageing.snapshot"].sudo().create(
                {
                    "company_id": company.id,
                    "partner_id": (partner or self.customer).id,
                    "date": day + relativedelta(day=31),
                    "risk_tier": tier,
                    "buckets": dict(zip(map(str, buckets.ids), amounts, strict=False)),
                }
            )

    def _proposal(self, **values):
        proposal = self.env["ar.allowance.proposal"].with_user(self.maker)
        proposal = proposal.browse(proposal.action_open()["res_id"])
        self.assertEqual(proposal.display_name, "Rates from Own History")
        proposal.write(values)
        proposal.action_compute()
        return proposal

    def _found(self, proposal, tier="medium"):
        lines = proposal.line_ids.filtered(lambda line: line.risk_tier == tier)
        return {line.bucket_id.display_name: line for line in lines}

    def test_chain(self):
        self.assertEqual(chain([0.5, 0.25], 0.8), [0.1, 0.2, 0.8])
        self.assertEqual(chain([0.5, None, 0.5], 1), [None, None, 0.5, 1])
        self.assertEqual(chain([], 0.6), [0.6])

    def test_months_of_an_unknown_tier_prove_nothing(self):
        self.company.ar_ageing_days = "30,60"
        self._snapshots(*[(1000, 400, 100, 10)] * 5, tier="unknown")
        self.assertFalse(self._proposal(loss=0.5).line_ids.filtered("is_known"))

    def test_roll_rates_are_chained_to_loss(self):
        self.company.ar_ageing_days = "30,60"
        self._snapshots(*[(1000, 400, 100, 10)] * 5)
        found = self._found(self._proposal(loss=0.5))
        self.assertEqual(
            {
                name: (line.pairs, line.balance, line.rolled, round(line.proposed_rate, 6))
                for name, line in found.items()
            },
            {
                "Not due": (4, 4000, 1600, round(0.4 * 0.25 * 0.1 * 0.5, 6)),
                "1-30": (4, 1600, 400, round(0.25 * 0.1 * 0.5, 6)),
                "31-60": (4, 400, 40, 0.05),
                "> 60": (0, 0, 0, 0.5),
            },
        )
        self.assertEqual(found["1-30"].calculation, "25.0 % × 10.0 % × 50.0 %")

    def test_what_grew_elsewhere_counts_at_most_once(self):
        """The next bucket may hold more than came from this one: nobody rolls more than all."""
        self.company.ar_ageing_days = "30"
        self._snapshots(*[(100, 50, 900)] * 4)
        self._snapshots(*[(100, 0, 0)] * 4, partner=self._customer("Pays"))
        found = self._found(self._proposal())
        self.assertEqual((found["1-30"].rolled, found["1-30"].roll_rate), (150, 1))
        self.assertEqual((found["Not due"].balance, found["Not due"].rolled), (600, 150))

    def test_wide_buckets_are_compared_after_as_many_months(self):
        """From 91-180 to more than 180 days it takes three months."""
        old = (0, 0, 0, 0, 300, 0)
        self._snapshots(old, old, old, old, *[(0, 0, 0, 0, 0, 60)] * 3)
        line = self._found(self._proposal())["91-180"]
        self.assertEqual((line.pairs, line.balance, line.rolled), (4, 1200, 180))

    def test_too_little_is_known(self):
        self.company.ar_ageing_days = "30"
        self._snapshots(*[(100, 50, 10)] * 3)
        proposal = self._proposal(reason="x")
        self.assertFalse(any(proposal.line_ids.mapped("is_known")), "two pairs of months only")
        proposal.line_ids.is_chosen = True
        with self.assertRaises(UserError):
            proposal.action_apply()

    def test_other_ageing_is_another_story(self):
        self._snapshots(*[(100, 50, 10, 10, 10, 10)] * 6)
        self.company.ar_ageing_days = "45,90"
        found = self._found(self._proposal())
        self.assertEqual(found["1-45"].pairs, 0)
        self.assertFalse(found["1-45"].is_known)

    def test_months_back(self):
        self.company.ar_ageing_days = "30"
        self._snapshots(*[(100, 90, 80)] * 4, *[(100, 10, 5)] * 4)
        self.assertEqual(self._found(self._proposal())["Not due"].pairs, 7)
        line = self._found(self._proposal(months=3))["Not due"]
        self.assertEqual((line.pairs, line.roll_rate), (3, 0.1))

    def test_taken_over_with_a_reason(self):
        self.company.ar_ageing_days = "30"
        self._snapshots(*[(1000, 400, 100)] * 5)
        proposal = self._proposal()
        line = self._found(proposal)["1-30"]
        before = self._found(proposal)["Not due"].rate_id.rate
        line.is_chosen = True
        with self.assertRaisesRegex(UserError, "why"):
            proposal.action_apply()
        proposal.reason = "Agreed with the auditors"
        proposal.action_apply()
        self.assertEqual(line.rate_id.rate, 0.25)
        self.assertEqual(self._found(proposal)["Not due"].rate_id.rate, before)
        self.env.flush_all()
        self.env.cr.precommit.run()
        texts = " ".join(line.rate_id.message_ids.mapped("body"))
        self.assertIn("25.0 % × 100.0 %", texts)
        self.assertIn("Agreed with the auditors", texts)

    def test_only_a_credit_manager_looks_for_rates(self):
        self.company.ar_ageing_days = "30"
        self._snapshots(*[(1000, 400, 100)] * 5)
        proposal = self._proposal()
        self._found(proposal)["1-30"].is_chosen = True
        proposal.reason = "Mine"
        collector = new_test_user(
            self.env,
            "rate_collector",
            "base.group_user,ar_collections.group_collector,account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        theirs = proposal.with_user(collector)
        for button in (theirs.action_open, theirs.action_compute, theirs.action_apply):
            with self.assertRaisesRegex(AccessError, "by a credit manager"):
                button()

    def test_the_calculation_is_not_written_by_hand(self):
        self.company.ar_ageing_days = "30"
        self._snapshots(*[(1000, 400, 100)] * 5)
        line = self._proposal().line_ids[0]
        for values in ({"proposed_rate": 0.9}, {"calculation": "mine"}, {"is_known": True}):
            with self.assertRaises(AccessError):
                line.write(values)
