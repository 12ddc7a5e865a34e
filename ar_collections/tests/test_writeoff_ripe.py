from .common import CollectionsCommon


class TestRipe(CollectionsCommon):
    """Of what nothing more is to be expected, somebody is told once."""

    def _told(self, case):
        ripe = self.env.ref("ar_collections.activity_ripe")
        return case.activity_ids.filtered(lambda activity: activity.activity_type_id == ripe)

    def _overdue(self, name, days):
        partner = self._customer(name)
        return partner, self._invoice(partner, 100, due=-days)

    def test_three_reasons(self):
        self._own_rule().limitation_years = 3
        partners = {
            "young": self._overdue("Young", 365),
            "old": self._overdue("Old", 366),
            "lapsed": self._overdue("Lapsed", 4 * 365),
            "returned": self._overdue("Returned", 40),
            "paid a part": self._overdue("Part", 40),
            "with the agency": self._overdue("Placed", 400),
            "asked for": self._overdue("Asked", 400),
        }
        # A reminder is a proven demand, and the clock starts anew.
        self.policy.step_ids = False
        self._run(-1)
        cases = {name: self._case(partner) for name, (partner, _invoice) in partners.items()}
        for name in ("returned", "paid a part", "with the agency"):
            placement = self.env["ar.placement"].create(
                {
                    "partner_id": cases[name].partner_id.id,
                    "company_id": self.company.id,
                    "agent_id": self._customer(f"Agency of {name}").id,
                }
            )
            placement.action_place()
            if name == "paid a part":
                self._pay(partners[name][1], 30)
            if name != "with the agency":
                placement.action_withdraw()
        cases["asked for"].action_write_off()
        self._run(0)
        self.assertEqual(
            {name: case.ripe_reason for name, case in cases.items()},
            {
                "young": False,
                "old": "old",
                "lapsed": "lapsed",
                "returned": "returned",
                "paid a part": False,
                "with the agency": False,
                "asked for": False,
            },
        )
        for name, case in cases.items():
            self.assertEqual(len(self._told(case)), bool(case.ripe_reason), name)
            self.assertEqual(case.ripe_date, case.ripe_reason and self.today, name)
        self._run(1)
        self.assertEqual(cases["young"].ripe_reason, "old", "a day later")
        self.assertEqual(cases["old"].ripe_date, self.today)
        self.assertEqual(len(self._told(cases["old"])), 1, "once")
        cases["old"].action_write_off()
        self._run(2)
        self.assertFalse(cases["old"].ripe_reason)
        self.assertFalse(self._told(cases["old"]), "it is under way")
        self.company.ar_writeoff_ripe_days = 0
        self._run(3)
        self.assertFalse(cases["young"].ripe_reason, "switched off")
        self.assertEqual(cases["lapsed"].ripe_reason, "lapsed")
