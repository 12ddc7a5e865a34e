from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import Form

from ..models.credit.credit_authority import NeedsReview
from .test_credit_review import ReviewCommon


class TestAuthority(ReviewCommon):
    """Grade 3, no credit, on hold: what one credit manager makes of it alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ar.credit.tolerance"].sudo().search([]).unlink()
        cls.file.sudo().write(
            {
                "grade_id": cls.poor.id,
                "limit_mode": "custom",
                "custom_limit": 0,
                "hold": True,
                "hold_reason": "Cheque came back",
            }
        )
        cls.mine = cls.file.with_user(cls.manager)

    def _tolerate(self, group="group_credit_manager", **values):
        return (
            self.env["ar.credit.tolerance"]
            .sudo()
            .create({"group_id": self.env.ref(f"ar_collections.{group}").id, **values})
        )

    def _needs_review(self, function):
        with self.assertRaises(NeedsReview) as refused, self.env.cr.savepoint():
            function()
            self.env.flush_all()
        self.assertIn("submit a review", str(refused.exception))
        self.env.invalidate_all(flush=False)
        return refused.exception

    def _ask(self, refused, user=None):
        """Press the button of the error."""
        _message, action, _label, context = refused.args
        action = self.env["ir.actions.server"].browse(action).with_user(user or self.manager)
        shown = action.with_context(**context).run()
        return self.env["ar.credit.review"].browse(shown["res_id"]).with_user(self.manager)

    def test_no_path_gives_more_alone(self):
        end = self._day(30)
        other = self.env["ar.credit.file"]._get_file(self._customer("Other"), self.company, True)
        other.sudo().grade_id = self.poor
        both = (self.file | other).with_user(self.manager)
        wizard = (
            self.env["ar.credit.hold"]
            .with_user(self.manager)
            .with_context(**self.mine.action_release_hold()["context"])
            .create({"reason": "The owner called"})
        )
        reason = {"limit_reason": "Old friends", "hold_reason": "Old friends"}
        for path in (
            lambda: self.mine.write({"grade_id": self.good.id, **reason}),
            lambda: self.mine.write({"limit_mode": "unlimited", **reason}),
            lambda: self.mine.write({"custom_limit": 0.01, **reason}),
            lambda: self.mine.write({"limit_mode": "grade", "grade_id": self.fair.id, **reason}),
            lambda: self.mine.write({"temporary_limit": 9, "temporary_limit_end": end, **reason}),
            lambda: self.mine.write({"hold": False, **reason}),
            wizard.action_release,
            lambda: both.write({"grade_id": self.fair.id, **reason}),
            lambda: self.customer.write({"credit_grade_id": self.good.id}),
            lambda: self.customer.write({"credit_limit": 5}),
            lambda: self.customer.with_context(ar_limit_source="forged").write({"credit_limit": 5}),
            lambda: call_kw(self.mine, "write", [self.mine.ids, {"hold": False, **reason}], {}),
        ):
            self._needs_review(path)
        with self.assertRaises(NeedsReview), Form(self.mine) as form:
            form.limit_mode = "unlimited"
        self.env["ir.model.data"].sudo().create(
            {"module": "test", "name": "file", "model": self.file._name, "res_id": self.file.id}
        )
        found = self.mine.load(
            ["id", "limit_mode", "limit_reason"], [["test.file", "unlimited", "Old friends"]]
        )
        self.assertFalse(found["ids"])
        self.assertIn("submit a review", found["messages"][0]["message"])
        self.assertRecordValues(
            self.file,
            [{"grade_id": self.poor.id, "is_limited": True, "effective_limit": 0, "hold": True}],
        )

    def test_a_file_is_not_deleted_to_begin_anew(self):
        for values in (
            {"hold": False},
            {"grade_id": False},
            {"limit_mode": "grade"},
        ):
            self._refused(self.mine.unlink, UserError)
            self.file.sudo().write(values)
        self.mine.unlink()
        self.assertFalse(self.customer.credit_file_id)

    def test_less_is_decided_alone_without_a_reason(self):
        file = self._file_of("Fallen", grade_id=self.good.id, limit_mode="unlimited")
        file.write({"limit_mode": "custom", "custom_limit": 800})
        file.write({"grade_id": self.fair.id})
        file.write({"custom_limit": 0})
        file.write({"hold": True, "hold_reason": "Rumours"})
        file.write({"grade_id": self.poor.id})
        self.assertRecordValues(
            file,
            [{"grade_id": self.poor.id, "effective_limit": 0, "hold": True}],
        )
        self.assertFalse(file.raised_alone_date)

    def _file_of(self, name, **values):
        file = self.env["ar.credit.file"]._get_file(self._customer(name), self.company, True)
        file.sudo().write(values)
        return file.with_user(self.manager)

    def test_within_the_tolerance_a_reason_once(self):
        file = self._file_of("Loyal", grade_id=self.fair.id, limit_mode="custom", custom_limit=1000)
        tolerance = self._tolerate(limit_share=0.1)
        self._needs_review(lambda: file.write({"custom_limit": 1101, "limit_reason": "Season"}))
        for values in ({}, {"limit_reason": " "}):
            with (
                self.assertRaisesRegex(UserError, "Write down why.*Reason of Grade and Limit"),
                self.env.cr.savepoint(),
            ):
                file.write({"custom_limit": 1100, **values})
            self.env.invalidate_all(flush=False)
        file.write({"custom_limit": 1100, "limit_reason": "Season"})
        self.assertRecordValues(
            file, [{"effective_limit": 1100, "raised_alone_date": self.company._ar_today()}]
        )
        self.assertRecordValues(
            file.history_ids[:1],
            [{"reason": "Season", "user_id": self.manager.id, "effective_limit": 1100}],
        )
        file.invalidate_recordset(["message_ids"])
        self.assertIn("Reason: Season", "".join(file.message_ids.mapped("body")))
        refused = self._needs_review(
            lambda: file.write({"custom_limit": 1200, "limit_reason": "Season"})
        )
        self.assertIn("raised it on", str(refused), "ten percent again and again is a lot")
        file.write({"custom_limit": 900})
        tolerance.limit_amount = 5000
        self._needs_review(lambda: file.write({"custom_limit": 1000, "limit_reason": "Back"}))
        self._approved(file.with_env(self.env))
        self.assertFalse(file.raised_alone_date)
        file.write({"limit_mode": "custom", "custom_limit": 5900, "limit_reason": "Fair"})
        self._needs_review(lambda: file.write({"limit_mode": "unlimited", "limit_reason": "x"}))

    def test_the_widest_tolerance_of_the_roles_of_the_company(self):
        self._tolerate("group_collector", grade_steps=1, hold_amount=100)
        self._tolerate(limit_amount=2000)
        elsewhere = self._create_company(name="Elsewhere")
        self._tolerate(company_id=elsewhere.id, grade_steps=9, limit_amount=10**6)
        self._needs_review(
            lambda: self.mine.write({"grade_id": self.good.id, "limit_reason": "Both"})
        )
        self.file.sudo().exposure = 101
        self._needs_review(lambda: self.mine.write({"hold": False, "hold_reason": "Paid"}))
        self._tolerate("group_auditor", hold_amount=10**6)
        self.file.sudo().exposure = 100
        self._refused(lambda: self.mine.write({"hold": False}), UserError)
        self.env.invalidate_all(flush=False)
        self.mine.write({"hold": False, "hold_reason": "Paid in cash"})
        self.assertRecordValues(self.file, [{"hold": False, "hold_reason": False}])
        self.file.invalidate_recordset(["message_ids"])
        self.assertIn("Paid in cash", "".join(self.file.message_ids.mapped("body")))
        self.mine.write(
            {"grade_id": self.fair.id, "limit_mode": "grade", "limit_reason": "Pays again"}
        )
        self.assertEqual(self.file.effective_limit, 1000)
        with self.assertRaises(AccessError):
            self.env["ar.credit.tolerance"].with_user(self.manager).create(
                {"group_id": self.env.ref("base.group_user").id, "grade_steps": 9}
            )

    def test_a_knockout_rule_is_no_matter_of_tolerance(self):
        self._tolerate(grade_steps=2, limit_amount=10**6)
        rule = self.env["ar.credit.knockout"].create({"name": "Rule", "grade_id": self.poor.id})
        self.file.sudo().knockout_id = rule
        self._needs_review(lambda: self.mine.write({"grade_id": self.fair.id, "limit_reason": "x"}))

    def test_what_comes_after_a_temporary_limit_counts(self):
        self._tolerate(limit_amount=10)
        file = self._file_of(
            "Season",
            limit_mode="custom",
            custom_limit=100,
            temporary_limit=500,
            temporary_limit_end=self._day(9),
        )
        for values in (
            {"custom_limit": 400},
            {"temporary_limit_end": self._day(10)},
            {"temporary_limit_end": False, "temporary_limit": 0, "custom_limit": 111},
        ):
            self._needs_review(lambda values=values: file.write({**values, "limit_reason": "x"}))
        file.write({"temporary_limit_end": False, "temporary_limit": 0})
        self.assertEqual(file.effective_limit, 100)

    def test_groups(self):
        head = self._file_of("Head", group_limited=True, group_limit=50)
        member = self._file_of("Member", parent_id=head.id)
        for path in (
            lambda: head.write({"group_limit": 51, "limit_reason": "x"}),
            lambda: head.write({"group_limited": False, "limit_reason": "x"}),
            lambda: member.write({"parent_id": False, "limit_reason": "x"}),
        ):
            self._needs_review(path)
        head.write({"group_limit": 40})
        refused = self._needs_review(lambda: head.write({"group_limit": 90, "limit_reason": "x"}))
        review = self._ask(refused)
        self.assertIn("Group limit: $\N{NO-BREAK SPACE}90.00", review.asked_text)
        self._decide(review)
        self.assertRecordValues(head, [{"group_limit": 90, "group_limited": True}])

    def _decide(self, review):
        review.reason_note = review.reason_note or "New owner, audited figures"
        review.grade_id = review.grade_id or self.poor
        review.action_submit()
        with self.assertRaisesRegex(UserError, "somebody else decides"):
            review.action_approve()
        review.with_user(self.second).action_approve()

    def test_one_click_asks_for_what_was_refused(self):
        refused = self._needs_review(
            lambda: self.mine.write(
                {
                    "grade_id": self.good.id,
                    "limit_mode": "unlimited",
                    "temporary_limit": 7000,
                    "temporary_limit_end": self._day(20),
                    "hold": False,
                }
            )
        )
        self.assertFalse(self.file.review_ids, "looking at the refusal makes nothing")
        review = self._ask(refused)
        self.assertRecordValues(
            review,
            [
                {
                    "state": "draft",
                    "grade_id": self.good.id,
                    "limit_mode": "unlimited",
                    "requester_id": self.manager.id,
                }
            ],
        )
        self.assertIn("Lift the credit hold", review.asked_text)
        self.assertIn("7,000.00 until", review.asked_text)
        with self.assertRaisesRegex(UserError, "why the customer gets more|explain the proposal"):
            review.action_submit()
        self._decide(review)
        self.assertRecordValues(
            self.file,
            [
                {
                    "grade_id": self.good.id,
                    "limit_mode": "unlimited",
                    "temporary_limit": 7000,
                    "effective_limit": 7000,
                    "hold": False,
                }
            ],
        )

    def test_a_review_that_lifts_the_hold_changes_nothing_else(self):
        file = self._file_of("Held", grade_id=self.fair.id, hold=True, hold_reason="Fraud")
        self.env["ar.credit.knockout"].create(
            {"name": "Held", "grade_id": self.poor.id, "domain": "[('hold', '=', True)]"}
        )
        refused = self._needs_review(lambda: file.write({"hold": False, "hold_reason": "Mix-up"}))
        review = self._ask(refused)
        self.assertEqual(review.reason_note, "Mix-up")
        self._decide(review)
        self.assertRecordValues(
            file, [{"hold": False, "grade_id": self.fair.id, "effective_limit": 1000}]
        )

    def test_who_wrote_the_proposal_does_not_approve_it(self):
        review = self._review(user=self.collector)
        review.with_user(self.manager).write({"limit_mode": "unlimited", "grade_id": self.good.id})
        review.reason_note = "As the manager said"
        review.action_submit()
        with self.assertRaisesRegex(UserError, r"rev\.manager .*somebody else decides"):
            review.with_user(self.manager).action_approve()
        # A second wish does not get into what is with somebody else already.
        refused = self._needs_review(lambda: self.mine.write({"custom_limit": 5}))
        with self.assertRaisesRegex(UserError, "submitted already"):
            self._ask(refused)
        review.with_user(self.second).action_approve()
        self.assertFalse(self.file.is_limited)

    def test_a_request_asks_for_nothing_else(self):
        with self.assertRaises(AccessError):
            self.mine.review_ids.create({"file_id": self.file.id, "asked": {"collector_id": 1}})
        review = self._ask(
            NeedsReview(
                "",
                self.env.ref("ar_collections.ar_credit_review_action_ask").id,
                "",
                {
                    "ar_asked": [
                        {
                            "partner_id": self.customer.id,
                            "company_id": self.company.id,
                            "grade_id": False,
                            "limit_mode": "custom",
                            "limit_amount": 7,
                            "more": {"collector_id": self.manager.id, "hold": 0},
                            "reason": False,
                        }
                    ]
                },
            )
        )
        self.assertEqual(review.asked, {"hold": False})

    def test_new_customers(self):
        """Whoever makes a customer sets no larger limit than a new customer has."""
        self.company.account_use_credit_limit = True
        self.env["ir.default"].set("res.partner", "credit_limit", 300, company_id=self.company.id)
        accountant = self.env["res.partner"].with_user(self.env.user)
        self._needs_review(lambda: accountant.create({"name": "New", "credit_limit": 301}))
        low = accountant.create({"name": "Low", "credit_limit": 200})
        self.assertEqual(low.credit_file_id.custom_limit, 200)
        self.assertFalse(accountant.create({"name": "Usual", "credit_limit": 300}).credit_file_id)
        files = self.mine.browse()
        self._needs_review(
            lambda: files.create(
                {
                    "partner_id": self._customer("Newer").id,
                    "company_id": self.company.id,
                    "limit_mode": "unlimited",
                    "limit_reason": "x",
                }
            )
        )
        held = files.create(
            {
                "partner_id": self._customer("Risky").id,
                "company_id": self.company.id,
                "limit_mode": "custom",
                "hold": True,
            }
        )
        self.assertEqual(held.effective_limit, 0)

    # Covers, and days that are put off

    def _cover(self, file, user=None, **values):
        return (
            self.env["ar.credit.cover"]
            .with_user(user or self.manager)
            .create(
                {
                    "file_id": file.id,
                    "reference": "POL-7",
                    "amount": 1000,
                    "covered_share": 0.9,
                    "date_from": self._day(0),
                    "date_to": self._day(100),
                    **values,
                }
            )
        )

    def test_a_cover_is_credit(self):
        """Limit 1,000 of the grade; a cover of 1,000 x 90 % makes it 1,900, one of 2,000 2,800."""
        file = self._file_of("Insured", grade_id=self.fair.id)
        for values in (
            {},
            {"date_from": self._day(50)},
            {"kind": "deposit", "covered_share": 0.01},
        ):
            self._needs_review(lambda values=values: self._cover(file, **values))
        self._needs_review(lambda: file.write({"cover_ids": [(0, 0, {"amount": 5})]}))
        self.assertFalse(self._cover(file, kind="financing").amount_company, "covers nothing")
        cover = self._cover(file, user=self.env.user.browse(1)).with_user(self.manager)
        self.assertEqual(file.effective_limit, 1900)
        for values in (
            {"amount": 1001},
            {"covered_share": 1},
            {"date_to": self._day(101)},
            {"date_to": False},
            {"file_id": self.mine.id},
        ):
            self._needs_review(lambda values=values: cover.write(values))
        cover.write({"reference": "POL-8"})
        cover.write({"date_to": self._day(60), "amount": 900})
        self.assertEqual(file.effective_limit, 1810)
        cover.active = False
        self.assertEqual(file.effective_limit, 1000)
        self._needs_review(lambda: cover.write({"active": True}))
        # Without a limit no cover gives more, and a worse day does not make up for a better one.
        file.sudo().limit_mode = "unlimited"
        self._cover(file)
        file.sudo().limit_mode = "grade"
        second = self._cover(file, user=self.env.user.browse(1), date_from=self._day(-9))
        self._needs_review(
            lambda: second.with_user(self.manager).write({"amount": 10, "date_to": self._day(300)})
        )

    def test_a_cover_within_the_tolerance(self):
        """10 % of 1,000: 90 is covered by 100 x 90 %, and 108 by 120 x 90 %."""
        file = self._file_of("Insured", grade_id=self.fair.id)
        self._tolerate(limit_share=0.1)
        self._needs_review(lambda: self._cover(file, amount=120))
        self._cover(file, amount=100)
        self.assertRecordValues(
            file, [{"effective_limit": 1090, "raised_alone_date": self.company._ar_today()}]
        )
        file.invalidate_recordset(["message_ids"])
        self.assertIn("POL-7", "".join(file.message_ids.mapped("body")), "the reason")
        self._needs_review(lambda: self._cover(file, amount=1, reference="POL-8"))

    def test_a_review_asks_for_covers(self):
        file = self._file_of("Insured", grade_id=self.fair.id)
        cover = self._cover(file, user=self.env.user.browse(1)).with_user(self.manager)
        review = self._ask(self._needs_review(lambda: cover.write({"amount": 2000})))
        self.assertIn("90 % of $\N{NO-BREAK SPACE}2,000.00 from", review.asked_text)
        self._decide(review)
        self.assertEqual((cover.amount, file.effective_limit), (2000, 2800))
        review = self._ask(
            self._needs_review(lambda: self._cover(file, kind="guarantee", reference="G-1"))
        )
        self._decide(review)
        self.assertEqual(file.effective_limit, 3700)
        self.assertRecordValues(
            file.cover_ids - cover, [{"kind": "guarantee", "reference": "G-1", "amount": 1000}]
        )
        # What the context of a request says is of this customer only, and a cover only.
        review = self.env["ar.credit.review"].with_user(self.manager).create({"file_id": file.id})
        review._ask_for(
            {
                "grade_id": False,
                "limit_mode": "grade",
                "reason": "x",
                "more": {"covers": [[cover.id, {"file_id": self.file.id, "warned_for": "x"}]]},
            }
        )
        self.assertEqual(review.asked, {"covers": [[cover.id, {}]]})

    def test_days_are_put_off(self):
        """Valid until day 10, next review on day 20."""
        file = self._file_of("Dated", limit_expiry=self._day(10), next_review_date=self._day(20))
        reason = {"limit_reason": "They move house"}
        for values in (
            {"limit_expiry": self._day(11)},
            {"limit_expiry": False},
            {"next_review_date": self._day(21)},
            {"next_review_date": False},
        ):
            self._needs_review(lambda values=values: file.write({**values, **reason}))
            self._needs_review(
                lambda values=values: call_kw(file, "write", [file.ids, {**values, **reason}], {})
            )
        file.write({"limit_expiry": self._day(9), "next_review_date": self._day(19)})
        self._tolerate(postpone_days=30)
        self._refused(lambda: file.write({"limit_expiry": self._day(39)}), UserError)
        self._needs_review(lambda: file.write({"limit_expiry": self._day(40), **reason}))
        self._needs_review(lambda: file.write({"limit_expiry": False, **reason}))
        file.write({"limit_expiry": self._day(39), **reason})
        refused = self._needs_review(
            lambda: file.write({"next_review_date": self._day(25), **reason})
        )
        self.assertIn("One person raised it", str(refused))
        review = self._ask(refused)
        self.assertIn("Next Review Date: ", review.asked_text)
        self._decide(review)
        self.assertEqual(file.next_review_date, self._day(25), "and not the grade's six months")
        empty = self._file_of("Undated", next_review_date=False)
        empty.write({"next_review_date": self._day(900), "limit_expiry": self._day(900)})
