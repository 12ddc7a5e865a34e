from odoo import Command
from odoo.tests import new_test_user

from .common import CollectionsCommon

GROUP = "ar_collections.group_collector"
MANAGER = "ar_collections.group_credit_manager"


class TestHandOver(CollectionsCommon):
    """Nobody works on in the name of who left: each post, each way of leaving, who is next.

    Lea has three customers: a rule gives the first to Nia, too; of the second's collectors only
    the lead is left; no rule is for the third, so it is the credit manager's.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ar.collection.assignment"].search([]).active = False
        cls.lea, cls.nia, cls.max, cls.gone = (
            cls._user(name, GROUP) for name in ("lea", "nia", "max", "gone")
        )
        cls.mia = cls._user("mia", MANAGER)
        cls.gone.active = False
        cls.company.ar_credit_manager_id = cls.mia
        cls.elsewhere = cls.env.ref("base.main_company")
        rules = cls.env["ar.collection.assignment"]
        cls.rule, cls.team = rules.create(
            [
                {
                    "name": "Small",
                    "domain": "[('amount_overdue', '<', 1000)]",
                    "user_ids": [Command.set((cls.lea | cls.nia | cls.gone).ids)],
                },
                {
                    "name": "Team",
                    "domain": "[('amount_overdue', '<', 5000)]",
                    "user_ids": [Command.set((cls.lea | cls.gone).ids)],
                    "lead_id": cls.max.id,
                },
            ]
        )
        customers = [cls._customer(f"Debtor {amount}") for amount in (100, 2000, 9000)]
        cls.moves = cls.env["account.move"].union(
            *(
                cls._invoice(customer, amount, due=-16)
                for customer, amount in zip(customers, (100, 2000, 9000), strict=True)
            )
        )
        files = cls.env["ar.credit.file"]
        cls.files = files.union(
            *(files._get_file(customer, cls.company, create=True) for customer in customers)
        )
        cls.files.collector_id = cls.lea
        cls._run(0)
        cases = cls.env["ar.collection.case"].search([("file_id", "in", cls.files.ids)])
        cls.cases = cases.sorted("amount_overdue")
        cls.successors = cls.nia | cls.max | cls.mia
        cls.posts = cls._make_posts()

    @classmethod
    def _user(cls, name, *groups):
        return new_test_user(
            cls.env,
            f"hand_over_{name}",
            ",".join(("base.group_user", *groups)),
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    @classmethod
    def _make_posts(cls):
        """What Lea is in charge of: ``{name: (records of the three customers, field)}``."""
        cls.reason = cls.env["ar.dispute.reason"].create(
            {"name": "Wrong", "code": "wrong", "owner_id": cls.lea.id, "company_id": cls.company.id}
        )

        def make(model, **values):
            return cls.env[model].create(
                [
                    {
                        "partner_id": case.partner_id.id,
                        "company_id": cls.company.id,
                        "user_id": cls.lea.id,
                        **{name: value(case) for name, value in values.items()},
                    }
                    for case in cls.cases
                ]
            )

        def item(case):
            lines = cls.moves.line_ids.filtered(lambda line: line.partner_id == case.partner_id)
            return lines.filtered(lambda line: line.account_type == "asset_receivable").id

        calls = cls.cases.action_ids.filtered(lambda action: action.channel == "call")
        calls = calls.sorted(lambda call: cls.cases.ids.index(call.case_id.id))
        failed = make(
            "ar.collection.action",
            case_id=lambda case: case.id,
            channel=lambda case: "email",
            date_planned=lambda case: cls.today,
        )
        failed.sudo().state = "failed"
        disputes = make(
            "ar.dispute",
            reason_id=lambda case: cls.reason.id,
            owner_id=lambda case: cls.lea.id,
            line_ids=lambda case: [Command.create({"move_line_id": item(case), "amount": 1})],
        )
        cls.todo = cls.env["mail.activity"].create(
            [
                {
                    "res_model_id": cls.env["ir.model"]._get_id(case._name),
                    "res_id": case.id,
                    "activity_type_id": cls.env.ref("mail.mail_activity_data_todo").id,
                    "summary": "What she wrote down for herself",
                    "user_id": cls.lea.id,
                }
                for case in cls.cases
            ]
        )
        return {
            "cases": (cls.cases, "collector_id"),
            "credit files": (cls.files, "collector_id"),
            "planned calls": (calls,),
            "their activities": (calls.activity_id,),
            "failed messages": (failed,),
            "appointments": (cls._make_visits().event_id,),
            "notes": (cls.todo,),
            "promises": (
                make(
                    "ar.payment.promise",
                    amount=lambda case: 5,
                    date=lambda case: cls._day(20),
                ),
            ),
            "plans": (make("ar.payment.plan"),),
            "acknowledgements": (make("ar.debt.acknowledgement"),),
            "placements": (make("ar.placement"),),
            "disputes": (disputes,),
            "owners of disputes": (disputes, "owner_id"),
        }

    @classmethod
    def _make_visits(cls):
        visits = cls.env["ar.collection.action"]
        for case in cls.cases:
            visits |= visits.browse(case.action_visit()["res_id"])
        return visits

    # Ways of leaving

    def _archive(self):
        """By a plain administrator, without rights on collection."""
        admin = self._user("admin", "base.group_erp_manager")
        self.assertFalse(self.env["ar.collection.case"].with_user(admin).has_access("read"))
        self.lea.with_user(admin).action_archive()

    def _write_inactive(self):
        self.lea.active = False

    def _delete(self):
        self.lea.unlink()

    def _lose_group(self):
        self.lea.group_ids = [Command.set(self.env.ref("base.group_user").ids)]

    def _lose_company(self):
        self.lea.write(
            {
                "company_id": self.elsewhere.id,
                "company_ids": [Command.set(self.elsewhere.ids)],
            }
        )

    def _vanish(self):
        """By SQL, an import, a synchronisation: nobody is told before the next run."""
        self.env.flush_all()
        self.env.cr.execute("UPDATE res_users SET active = FALSE WHERE id = %s", [self.lea.id])
        self.env.invalidate_all()
        self._run(1)

    def test_archived_by_a_plain_administrator(self):
        self._check(self._archive)

    def test_archived_by_code(self):
        self._check(self._write_inactive)

    def test_deleted(self):
        self._check(self._delete)

    def test_group_is_taken_away(self):
        # Whoever is a colleague still goes on dealing with disputes.
        self._check(self._lose_group, {"owners of disputes"})

    def test_company_is_taken_away(self):
        self._check(self._lose_company)

    def test_nobody_said_so(self):
        self._check(self._vanish)

    def _told(self):
        # What is on no document is seen by whom it is for.
        return self.env["mail.activity"].sudo().search([("summary", "like", "Taken over from")])

    def _check(self, leave, kept=()):
        partner = self.lea.partner_id
        for name, (records, *field) in self.posts.items():
            with self.subTest(post=name, before=True):
                self.assertEqual(records.mapped((field or ["user_id"])[0]), self.lea)
        leave()
        for name, (records, *field) in self.posts.items():
            field = (field or ["user_id"])[0]
            with self.subTest(post=name):
                people = [record[field] for record in records]
                self.assertEqual(people, [self.lea] * 3 if name in kept else [*self.successors])
        with self.subTest(what="reason of disputes"):
            self.assertEqual(self.reason.owner_id, self.lea if kept else self.lea.browse())
        with self.subTest(what="nothing is left to do or to read"):
            activities = self.env["mail.activity"].search([("user_id", "=", self.lea.id)])
            self.assertEqual(set(activities.mapped("res_model")), {"ar.dispute"} if kept else set())
            followers = self.env["mail.followers"].search(
                [("res_model", "like", "ar.%"), ("partner_id", "=", partner.id)]
            )
            self.assertEqual(set(followers.mapped("res_model")) - {"ar.dispute"}, set())
        told = self._told()
        with self.subTest(what="everybody is told once"):
            self.assertEqual(told.user_id, self.successors)
            self.assertEqual(len(told), 3)
            self.assertIn("1 × Collection Case", told[0].note)
            self.assertIn("hand_over_lea", told[0].summary)
        if not self.lea.exists():
            return
        with self.subTest(what="she comes back"):
            self.lea.write(
                {
                    "active": True,
                    "group_ids": [Command.link(self.env.ref(GROUP).id)],
                    "company_ids": [Command.link(self.company.id)],
                }
            )
            self._run(2)
            self.assertEqual([case.collector_id for case in self.cases], [*self.successors])
            again = self._told()
            self.assertEqual(again, told)

    # Who is next

    def test_chain(self):
        """Who is next has left, too, and is never told of it."""
        (self.nia | self.max).active = False
        self.lea.active = False
        self.assertEqual(self.cases.collector_id, self.mia)
        told = self._told()
        self.assertEqual(told.user_id, self.mia)
        second = self._user("second", MANAGER)
        self._leave_alone(second)
        self._run(1)
        self.assertEqual(self.company.ar_credit_manager_id, second)
        self.assertEqual(self.cases.collector_id, second)

    def test_together(self):
        """Two leave at once: neither gets what was the other's."""
        (self.lea | self.nia).active = False
        self.assertEqual(self.cases[0].collector_id, self.max, "of the next rule that fits")

    def _leave_alone(self, *users):
        """All credit managers but these go to another company."""
        others = self.env.ref(MANAGER).all_user_ids - self.env["res.users"].union(*users)
        self.env.flush_all()
        self.env.cr.execute(
            "DELETE FROM res_company_users_rel WHERE user_id IN %s AND cid IN %s",
            [tuple(others.ids), tuple((self.company | self.branch).ids)],
        )
        self.env.invalidate_all()

    def test_credit_manager(self):
        """What waits for the credit manager waits for the next one, who is not who asked."""
        second, third = self._user("second", MANAGER), self._user("third", MANAGER)
        self.files[0].activity_schedule("ar_collections.activity_risk", user_id=self.mia.id)
        reviews = self.env["ar.credit.review"].with_user(second)
        review = reviews.create({"file_id": self.files[1].id})
        for user in self.mia | third:
            review.sudo().activity_schedule(
                "mail.mail_activity_data_todo", summary="Decide", user_id=user.id
            )
        self._leave_alone(self.mia, second, third)
        self.mia.group_ids = [Command.set(self.env.ref("base.group_user").ids)]
        self.assertEqual(self.company.ar_credit_manager_id, second)
        # Whoever looks has left, too.
        file, review = self.files[0].sudo(), review.sudo()
        self.assertEqual(file.activity_ids.user_id, second)
        self.assertEqual(review.activity_ids.user_id, third, "and is asked once")
        self.assertEqual(len(review.activity_ids), 1)
        told = self._told()
        self.assertEqual((told.user_id, len(told)), (second, 1))
        self.assertIn("1 × Credit Manager", told.note)

    def test_salesperson_who_left_gets_no_case(self):
        for values, expected in (
            ({}, self.max),
            ({"active": False}, self.env["res.users"]),
            ({"active": True, "group_ids": [Command.unlink(self.env.ref(GROUP).id)]}, False),
        ):
            with self.subTest(values=values):
                (self.rule | self.team).active = False
                self.max.write(values)
                customer = self._customer(f"Sold {len(values)}", user_id=self.max.id)
                self._invoice(customer, 50, due=-1)
                self._run(len(values) + 1)
                self.assertEqual(self._case(customer).collector_id, expected or self.max.browse())

    # Messages

    def test_nobody_writes_as_who_left(self):
        """Not even between the day on which somebody vanishes and the next run."""
        self.env.cr.execute("UPDATE res_users SET active = FALSE WHERE id = %s", [self.lea.id])
        self.env.invalidate_all()
        actions = self.env["ar.collection.action"]
        action = actions.sudo().create(
            {
                "company_id": self.company.id,
                "partner_id": self.cases[0].partner_id.id,
                "case_id": self.cases[0].id,
                "step_id": self.steps["First"].id,
                "rung": 99,
                "channel": "email",
                "user_id": self.lea.id,
                "date_planned": self.today,
            }
        )
        action.action_send()
        message = action.message_id
        self.assertNotIn("hand_over_lea", f"{message.email_from} {message.reply_to}")
        self.assertNotEqual(message.author_id, self.lea.partner_id)
        self.assertNotIn("hand_over_lea", action.contact_details)
        self.assertEqual(self.cases[0]._get_doer(self.lea), self.mia)
        self.assertEqual(self.files[0]._portal_contact(), self.mia)

    # Cost

    def test_cost_does_not_grow_with_the_cases(self):
        def leave(name, count):
            user = self._user(name, GROUP)
            customers = [self._customer(f"{name} {number}") for number in range(count)]
            for customer in customers:
                self._invoice(customer, 100, due=-16)
            self._run(self.env["ar.collection.run"].search_count([]))
            cases = self.env["ar.collection.case"].search(
                [("partner_id", "in", [customer.id for customer in customers])]
            )
            cases.collector_id = user
            cases.file_id.collector_id = user
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            user.active = False
            self.env.flush_all()
            self.assertNotIn(user, cases.collector_id)
            return self.env.cr.sql_log_count - before

        leave("warm", 2)
        few, many = leave("few", 5), leave("many", 50)
        self.assertLessEqual(many, few + 10)
