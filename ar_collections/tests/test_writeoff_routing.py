from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from .common_writeoff import WriteoffCommon


class TestWriteoffRouting(WriteoffCommon):
    """Whose turn it is: tiers at their limits, people who may and may not, days at their ends."""

    def _needed(self, amount, high_risk=False):
        tiers = self.env["ar.writeoff.tier"]._get_tiers(self.company)
        return [(need.tier, need.approvals) for need in tiers._get_needed(amount, high_risk)]

    def _approvers(self, request):
        return self.env["ar.writeoff.routing"]._get_current_approvers(request)

    # Tiers

    def test_a_tier_starts_at_its_amount(self):
        both = [(self.tier, 1), (self.upper, 1)]
        self.assertEqual(self._needed(4999.99), both[:1])
        self.assertEqual(self._needed(5000), both)
        self.assertEqual(self._needed(4999.99, high_risk=True), both)
        self.assertEqual(self._needed(5000, high_risk=True), [(self.tier, 1), (self.upper, 2)])
        tiers = self.tier | self.upper
        self.assertEqual(tiers._get_next_amount(4999.99), 5000)
        self.assertIsNone(tiers._get_next_amount(5000))

    def test_high_risk_adds_the_nearest_tier(self):
        top = self.upper.copy({"name": "Board", "amount_from": 50000, "sequence": 0})
        self.assertEqual(
            [tier for tier, _approvals in self._needed(100, high_risk=True)],
            [self.tier, self.upper],
        )
        self.assertNotIn(top, [tier for tier, _approvals in self._needed(100, high_risk=True)])

    def test_tiers_of_the_company_go_before_shared_ones(self):
        own = self.tier.copy({"company_id": self.company.id, "amount_from": 10})
        self.assertEqual(self._needed(100), [(own, 1)])
        self.assertEqual(self._needed(9.99), [])
        item = self._items(self._invoice(self.customer, 9.99, due=-100))
        with self.assertRaisesRegex(UserError, "No approval tier"):
            self._request({item: 9.99}).action_submit()
        own.active = False
        self.assertEqual(self._needed(100), [(self.tier, 1)])

    def test_who_holds_a_tier(self):
        elsewhere = self.setup_other_company(name="Other company")["company"]
        outsider = new_test_user(
            self.env,
            "wo_outsider",
            "base.group_user",
            company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)],
        )
        portal = new_test_user(self.env, "wo_portal", "base.group_portal")
        mine = {"company_ids": [Command.set(self.company.ids)], "company_id": self.company.id}
        portal.write(mine)
        gone = self._user("wo_gone")
        self.tier.user_ids |= outsider | portal | gone
        gone.active = False
        self.assertEqual(self.tier._get_holders(self.company), self.manager | self.second)
        # A group approves with all who are in it, beside those who are named.
        group = self.env["res.groups"].create({"name": "Approvers"})
        member = self._user("wo_member")
        member.group_ids |= group
        self.tier.group_id = group
        self.assertEqual(self.tier._get_holders(self.company), self.manager | self.second | member)
        # Whoever may work in a branch belongs to its company.
        member.write({"company_id": self.branch.id, "company_ids": [Command.set(self.branch.ids)]})
        self.assertIn(member, self.tier._get_holders(self.company))

    # Delegation

    def _delegated(self, **values):
        deputy = self._user("wo_deputy")
        self.env["ar.writeoff.delegation"].create(
            {
                "user_id": self.manager.id,
                "delegate_id": deputy.id,
                "date_from": self._day(0),
                "date_to": self._day(2),
                **values,
            }
        )
        return deputy

    def test_a_delegation_lasts_from_its_first_to_its_last_day(self):
        deputy = self._delegated()
        delegations = self.env["ar.writeoff.delegation"]
        for day, found in ((-1, False), (0, True), (2, True), (3, False)):
            delegates = delegations._get_delegates(self.manager, self._day(day))
            self.assertEqual(delegates, {deputy: self.manager} if found else {}, day)
        request = self._request()
        request.action_submit()
        self.assertEqual(self._approvers(request), self.manager | self.second | deputy)
        self._run(3)
        self.assertEqual(request.approver_ids, self.manager | self.second, "as of that day")

    def test_a_deputy_who_asked_or_is_gone_does_not_approve(self):
        deputy = self._delegated()
        request = self._request()
        request.sudo().user_id = deputy
        request.action_submit()
        self.assertEqual(self._approvers(request), self.manager | self.second)
        request.sudo().user_id = self.collector
        self.assertIn(deputy, self._approvers(request))
        deputy.active = False
        self.assertNotIn(deputy, self._approvers(request))

    def test_a_customer_is_nobodys_deputy(self):
        portal = new_test_user(self.env, "wo_portal_deputy", "base.group_portal")
        self.env["ar.writeoff.delegation"].create(
            {
                "user_id": self.manager.id,
                "delegate_id": portal.id,
                "date_from": self._day(0),
                "date_to": self._day(2),
            }
        )
        request = self._request()
        request.action_submit()
        self.assertEqual(self._approvers(request), self.manager | self.second)

    def test_a_deputy_who_holds_the_tier_approves_for_themselves(self):
        deputy = self._delegated()
        self.tier.user_ids |= deputy
        request = self._request()
        request.action_submit()
        request.with_user(deputy).action_approve()
        self.assertFalse(request.approval_ids.on_behalf_id)
        self.assertEqual(request.state, "approved")

    def test_everybody_delegates_their_own(self):
        delegations = self.env["ar.writeoff.delegation"]
        values = {
            "user_id": self.manager.id,
            "delegate_id": self.chief.id,
            "date_from": self._day(0),
            "date_to": self._day(2),
        }
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            delegations.with_user(self.second).create(values)
        own = delegations.with_user(self.manager).create(values)
        for attempt in (
            lambda: own.with_user(self.chief).write({"date_to": self._day(9)}),
            lambda: own.write({"user_id": self.second.id}),
            own.with_user(self.chief).unlink,
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                attempt()
        own.write({"date_to": self._day(1)})
        own.unlink()
        accountant = self._user("wo_accountant", "account.group_account_manager")
        delegations.with_user(accountant).create(values).unlink()

    # Who left

    def _activities(self, request):
        return request.sudo().activity_ids.filtered(
            lambda activity: activity.activity_type_id.res_model == request._name
        )

    def test_approver_leaves(self):
        """Who is left is asked, then those who may approve more; nobody is said, too."""
        admin = self._user("wo_admin", "base.group_erp_manager")
        request = self._request()
        request.action_submit()
        self.assertEqual(self._activities(request).user_id, self.manager | self.second)
        for leaver, left, text in (
            (self.manager, self.second, "Not here any more: wo_manager"),
            (self.second, self.chief, ", wo_second"),
            (self.chief, self.env["res.users"], "Nobody may approve here"),
        ):
            with self.subTest(leaver=leaver.login):
                leaver.with_user(admin).action_archive()
                self.assertEqual(request.sudo().approver_ids, left)
                self.assertEqual(self._approvers(request), left)
                asked = self._activities(request)
                next_one = left or self.env["res.users"]._ar_get_manager(self.company)
                self.assertEqual((asked.user_id, len(asked)), (next_one, 1))
                request.invalidate_recordset(["timeline_html"])
                self.assertIn(text, request.timeline_html)
                self.assertNotIn(leaver.partner_id, request.message_partner_ids)
        self.assertIn("change the approval tier", self._activities(request).summary)
        # Whoever comes back may approve again, as a holder of the tier.
        self.second.with_user(admin).active = True
        self._run(1)
        self.assertEqual(request.approver_ids, self.second)

    def test_higher_tiers_help_only_where_people_are_missing(self):
        self.assertFalse(self.tier._get_substitutes(self.company))
        self.tier.approvals_required = 2
        self.assertFalse(self.tier._get_substitutes(self.company))
        self.second.active = False
        self.assertEqual(self.tier._get_substitutes(self.company), self.chief)
        self.assertFalse(self.upper._get_substitutes(self.company), "nobody may approve more")

    def test_nobody_approves_for_who_left(self):
        """What somebody delegated ends with leaving; a deputy elsewhere is none."""
        deputy = self._delegated()
        request = self._request()
        request.action_submit()
        self.assertIn(deputy, self._approvers(request))
        elsewhere = self.env.ref("base.main_company")
        deputy.write({"company_id": elsewhere.id, "company_ids": [Command.set(elsewhere.ids)]})
        self.assertEqual(request.sudo().approver_ids, self.manager | self.second)
        deputy.write(
            {"company_id": self.company.id, "company_ids": [Command.set(self.company.ids)]}
        )
        self.assertIn(deputy, self._approvers(request))
        self.manager.active = False
        self.assertEqual(request.sudo().approver_ids, self.second)

    def test_who_asked_has_left(self):
        """The decision is told to who is next."""
        request = self._request()
        request.action_submit()
        self.collector.active = False
        request.with_user(self.manager)._refuse_request("No")
        manager = self.env["res.users"]._ar_get_manager(self.company)
        self.assertEqual(self._activities(request).user_id, manager)

    # Deadlines

    def test_who_decided_is_not_reminded(self):
        waiting, decided = self._request(), None
        waiting.action_submit()
        item = self._items(self._invoice(self.customer, 50, due=-100))
        decided = self._request({item: 50})
        decided.action_submit()
        decided.with_user(self.manager).action_approve()
        routing = self.env["ar.writeoff.routing"].sudo()
        self.assertFalse(routing._remind_due(self.company, waiting.deadline), "on the last day")
        late = waiting.deadline + timedelta(days=1)
        self.assertEqual(routing._remind_due(self.company, late), waiting)
        self.assertFalse(routing._remind_due(self.company, late + timedelta(days=2)))
        self.assertEqual(routing._remind_due(self.company, late + timedelta(days=3)), waiting)

    # What is known of a request

    def _facts(self, request, day=0):
        assessment = self.env["ar.writeoff.assessment"]
        return assessment._gather_facts(request, self.company, self._day(day))[request]

    def test_only_contacts_that_were_made_after_the_due_date_count(self):
        request = self._request()
        case = self._case()
        values = {
            "case_id": case.id,
            "partner_id": self.customer.id,
            "company_id": self.company.id,
            "state": "done",
            "channel": "call",
            "date_planned": self._day(-10),
        }
        actions = self.env["ar.collection.action"].sudo()
        before = self._facts(request).contacts
        for extra in (
            # On the day it is due nothing is late.
            {"date_done": self._day(-200)},
            {"date_done": self._day(-10), "state": "cancelled"},
            {"date_done": self._day(-10), "channel": "task"},
            {"date_done": False, "state": "planned"},
        ):
            actions.create({**values, **extra})
            self.assertEqual(self._facts(request).contacts, before, extra)
        actions.create({**values, "date_done": self._day(-199)})
        self.assertEqual(self._facts(request).contacts, before + 1)

    def test_days_overdue_are_those_of_the_youngest_item(self):
        young = self._items(self._invoice(self.customer, 10, due=-3))
        self.assertEqual(self._facts(self._request({self.item: 1000, young: 10})).days_overdue, 3)

    def test_last_trade_is_an_invoice_or_money_that_came_in(self):
        request = self._request()
        (invoiced,) = {(self.today - self.invoice.date).days}
        self.assertEqual(self._facts(request).days_since_trade, invoiced)
        # What we paid, or booked without money, is no trade of the customer.
        self._invoice(self.customer, 5, due=0, move_type="out_refund", date_=self._day(-2))
        self._non_trade(self.customer, -70, day=-1, journal_type="bank")
        self.assertEqual(self._facts(request).days_since_trade, invoiced)
        self._invoice(self.customer, 5, due=20, date_=self._day(-7))
        self.assertEqual(self._facts(request).days_since_trade, 7)
        self.assertEqual(self._facts(request, -8).days_since_trade, invoiced - 8)

    # Recoveries

    def test_money_counts_from_the_day_of_the_write_off(self):
        request = self._posted()
        service = self.env["ar.writeoff.recovery.booking"]
        payments = {}
        for day in (-1, 0, 1):
            payment = self.env["account.payment"].create(
                {
                    "partner_id": self.customer.id,
                    "partner_type": "customer",
                    "payment_type": "inbound",
                    "amount": 10 + day,
                    "date": self._day(day),
                }
            )
            payment.action_post()
            payments[day] = self._items(payment.move_id)
        self.assertEqual(request.date_posted, self._day(0))
        self.assertEqual(service._get_possible_payments(self.company), payments[0] | payments[1])
        request.with_user(self.biller).action_reverse()
        self.assertFalse(service._get_possible_payments(self.company))
        with self.assertRaisesRegex(UserError, "written off any more"):
            service.with_user(self.biller)._book_payments(payments[0])

    def test_the_oldest_write_off_is_recovered_first(self):
        first = self._posted({self.item: 30})
        item = self._items(self._invoice(self.customer, 50, due=-100))
        second = self._posted({item: 50})
        payment = self.env["account.payment"].create(
            {
                "partner_id": self.customer.id,
                "partner_type": "customer",
                "payment_type": "inbound",
                "amount": 100,
                "date": self.today,
            }
        )
        payment.action_post()
        money = self._items(payment.move_id)
        money.with_user(self.biller).action_ar_recover()
        self.assertRecordValues(
            first | second,
            [
                {"state": "recovered", "amount_recovered": 30},
                {"state": "recovered", "amount_recovered": 50},
            ],
        )
        self.assertEqual(money.amount_residual, -20, "what is beyond stays open")

    # Papers and drafts

    def test_uploads_of_others_stay_theirs(self):
        request = self._request()
        paper = self.env["ar.writeoff.evidence"].with_user(self.collector)
        files = {
            user: self.env["ir.attachment"].with_user(user).create({"name": "proof", "raw": b"x"})
            for user in (self.collector, self.second)
        }
        paper = paper.create(
            {
                "request_id": request.id,
                "name": "Court order",
                "attachment_ids": [Command.set([files[self.collector].id])],
            }
        )
        paper.sudo().attachment_ids = [Command.link(files[self.second].id)]
        self.assertEqual(files[self.collector].res_id, paper.id)
        self.assertEqual(files[self.collector].with_user(self.manager).raw, b"x")
        paper.sudo().with_user(self.collector)._adopt_attachments()
        self.assertFalse(files[self.second].sudo().res_id)

    def test_what_was_submitted_is_not_deleted(self):
        request = self._request(user=self.biller)
        request.action_submit()
        for button in (request.action_draft, request.action_cancel):
            with self.assertRaisesRegex(UserError, "cancel it instead"), self.env.cr.savepoint():
                request.unlink()
            button()
        with self.assertRaisesRegex(UserError, "cancel it instead"), self.env.cr.savepoint():
            request.unlink()
        self._request(user=self.biller).unlink()

    # Small balances

    def test_small_balances_at_their_limits(self):
        wizard = self.env["ar.writeoff.small.balance"].create(
            {
                "company_id": self.company.id,
                "amount_max": 5,
                "older_than": 90,
                "reason_id": self.reason.id,
            }
        )
        self._invoice(self._customer("Exact"), 5, due=-90)
        self._invoice(self._customer("A cent more"), 5.01, due=-90)
        self._invoice(self._customer("A day younger"), 5, due=-89)
        excluded = self._invoice(self._customer("Left out"), 5, due=-90)
        excluded.line_ids.no_followup = True
        self._invoice(self._customer("In credit"), 5, due=-90, move_type="out_refund")
        self.assertEqual((wizard.item_count, wizard.amount_total), (1, 5))
        taken = self._invoice(self._customer("Asked for"), 5, due=-90)
        request = self._request({self._items(taken): 5})
        wizard.invalidate_recordset()
        self.assertEqual(wizard.item_count, 2, "a draft keeps nothing back")
        request.action_submit()
        wizard.invalidate_recordset()
        self.assertEqual(wizard.item_count, 1)
