from collections import Counter

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user

from .common import CollectionsCommon


class TestAssignment(CollectionsCommon):
    """Whose cases these are: by rule each day, by hand for those that are selected."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ar.collection.assignment"].search([]).active = False
        cls.ann, cls.bob, cls.eve = (cls._user(name) for name in ("ann", "bob", "eve"))
        cls.manager = cls._user("manager", "group_credit_manager")
        cls.china = cls.env.ref("base.cn")
        cls.tag = cls.env["res.partner.category"].create({"name": "Key account"})

    @classmethod
    def _user(cls, name, group="group_collector"):
        return new_test_user(
            cls.env,
            f"assignment_{name}",
            f"base.group_user,ar_collections.{group}",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def _rule(self, name, domain, users, **values):
        return self.env["ar.collection.assignment"].create(
            {"name": name, "domain": domain, "user_ids": [Command.set(users.ids)], **values}
        )

    def _cases(self, count, amount=100, **values):
        customers = self.env["res.partner"].concat(
            *(
                self._customer(f"{amount} {number} {len(values)}", **values)
                for number in range(count)
            )
        )
        for customer in customers:
            self._invoice(customer, amount, due=-5)
        return customers

    def _of(self, customers):
        return self.env["ar.collection.case"].search([("partner_id", "in", customers.ids)])

    def test_segment_amount_and_region(self):
        """The first rule that fits decides, in the order of the list."""
        key = self._cases(1, category_id=[Command.set(self.tag.ids)], country_id=self.china.id)
        chinese = self._cases(1, country_id=self.china.id)
        large = self._cases(1, amount=9000)
        rest = self._cases(1, amount=70)
        self._rule("Key", "[('partner_id.category_id.name', '=', 'Key account')]", self.ann)
        self._rule("China", "[('partner_id.country_id.code', '=', 'CN')]", self.bob)
        self._rule("Large", "[('amount_overdue', '>=', 5000)]", self.eve)
        self._run(0)
        self.assertEqual(self._of(key).collector_id, self.ann)
        self.assertEqual(self._of(chinese).collector_id, self.bob)
        self.assertEqual(self._of(large).collector_id, self.eve)
        self.assertFalse(self._of(rest).collector_id, "no rule fits")

    def test_workload(self):
        """Whoever has the fewest open cases gets the next one, until all have the same."""
        former = self._cases(4, amount=10)
        self._run(0)
        self._of(former).collector_id = self.ann
        new = self._cases(6)
        self._rule("All", "[]", self.ann | self.bob)
        self._run(1)
        counts = Counter(case.collector_id for case in self._of(former | new))
        self.assertEqual(counts, {self.ann: 5, self.bob: 5})

    def test_who_has_a_collector_keeps_it(self):
        customers = self._cases(1)
        self.env["ar.credit.file"]._get_file(
            customers, self.company, create=True
        ).collector_id = self.eve
        self._rule("All", "[]", self.ann)
        self._run(0)
        self.assertEqual(self._of(customers).collector_id, self.eve)

    def _stranger(self):
        return new_test_user(
            self.env,
            "assignment_stranger",
            "base.group_user,ar_collections.group_collector",
            company_id=self.env.ref("base.main_company").id,
        )

    def test_collectors_of_other_companies_get_nothing(self):
        stranger = self._stranger()
        customers = self._cases(3)
        self._rule("Wrong", "[]", stranger)
        self._rule("Both", "[]", stranger | self.bob)
        self._run(0)
        self.assertEqual(self._of(customers).collector_id, self.bob)

    def test_domain_is_checked(self):
        for domain in ("[('nothing', '=', 1)]", "not a domain", "[('id', '=', uid)]"):
            with (
                self.subTest(domain=domain),
                self.assertRaises(ValidationError),
                self.env.cr.savepoint(),
            ):
                self._rule("Wrong", domain, self.ann)

    # By hand

    def _assign(self, cases, users):
        action = cases.with_user(self.manager).action_assign()
        wizards = self.env[action["res_model"]].with_user(self.manager)
        with Form(wizards.with_context(**action["context"])) as form:
            form.user_ids.clear()
            for user in users:
                form.user_ids.add(user)
        form.record.action_assign()

    def test_by_hand_to_one(self):
        customers = self._cases(3)
        self._run(0)
        cases = self._of(customers)
        self._assign(cases, self.eve)
        self.assertEqual(cases.collector_id, self.eve)

    def test_by_hand_shared_evenly(self):
        customers = self._cases(6)
        self._run(0)
        cases = self._of(customers)
        self._assign(cases, self.ann | self.bob | self.eve)
        self.assertEqual(set(Counter(case.collector_id for case in cases).values()), {2})

    def test_by_hand_to_nobody_of_another_company(self):
        customers = self._cases(1)
        self._run(0)
        case, stranger = self._of(customers), self._stranger()
        with (
            self.assertRaisesRegex(UserError, "assignment_stranger.*does not work for"),
            self.env.cr.savepoint(),
        ):
            self._assign(case, stranger)
        with (
            self.assertRaisesRegex(UserError, "assignment_stranger.*does not work for"),
            self.env.cr.savepoint(),
        ):
            case.with_user(self.manager).collector_id = stranger
        self.assertFalse(case.collector_id)

    def test_by_hand_as_the_rules_say(self):
        customers = self._cases(2)
        self._run(0)
        cases = self._of(customers)
        cases.collector_id = self.eve
        self._rule("All", "[]", self.bob)
        self._assign(cases, self.env["res.users"])
        self.assertEqual(cases.collector_id, self.bob)

    def test_planned_work_goes_to_the_new_collector(self):
        customers = self._cases(1)
        self._run(0)
        case = self._of(customers)
        nobodys = case.sudo()._plan_call(self._day(2), "Ask again")
        nobodys.activity_id.user_id = False
        nobodys.sudo().user_id = False
        case.with_user(self.manager).collector_id = self.ann
        self.assertEqual((nobodys.user_id, nobodys.activity_id.user_id), (self.ann, self.ann))
        done = case.sudo()._plan_call(self._day(2), "Done")
        done.action_done()
        own = case.activity_schedule(
            "mail.mail_activity_data_todo", user_id=self.eve.id, automated=True
        )
        note = self.env["mail.activity"].create(
            {
                "res_model_id": self.env["ir.model"]._get_id(case._name),
                "res_id": case.id,
                "activity_type_id": self.env.ref("mail.mail_activity_data_todo").id,
                "user_id": self.ann.id,
            }
        )
        case.with_user(self.manager).collector_id = self.bob
        self.assertEqual((nobodys.user_id, nobodys.activity_id.user_id), (self.bob, self.bob))
        self.assertEqual((done.user_id, own.user_id), (self.ann, self.eve))
        self.assertEqual(note.user_id, self.ann, "what she wrote down for herself is hers")

    def test_closed_cases_stay(self):
        customers = self._cases(1)
        self._run(0)
        case = self._of(customers)
        self._pay(self.env["account.move"].search([("partner_id", "=", customers.id)]))
        self.assertEqual(case.state, "closed")
        self._assign(case, self.ann)
        self.assertFalse(case.collector_id)

    # Rights and cost

    def test_roles(self):
        rule = self._rule("All", "[]", self.ann)
        for user in (self.ann, self._user("auditor", "group_auditor")):
            self.assertEqual(rule.with_user(user).name, "All")
            with self.assertRaises(AccessError):
                rule.with_user(user).name = "Mine"
            with self.assertRaises(AccessError):
                rule.with_user(user).create({"name": "x", "user_ids": [Command.set(user.ids)]})
            with self.assertRaises(AccessError):
                self.env["ar.collection.assign"].with_user(user).create({})
        rule.with_user(self.manager).name = "Everything"

    def test_cost_does_not_grow_with_the_cases(self):
        self._rule("Large", "[('amount_overdue', '>=', 5000)]", self.eve)
        self._rule("All", "[]", self.ann | self.bob)
        few, many = self._cases(5, amount=11), self._cases(50, amount=12)
        self._run(0)
        assignments = self.env["ar.collection.assignment"].with_context(tracking_disable=True)

        def cost(customers):
            cases = self._of(customers)
            cases.write({"collector_id": False})
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            assignments._assign_collectors(self.company, cases)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        cost(few)
        self.assertEqual(cost(few), cost(many))
