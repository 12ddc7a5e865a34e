from .common import CollectionsCommon


class TestCase(CollectionsCommon):
    def test_life_of_a_case(self):
        invoice = self._invoice(self.customer, 1000, due=0)
        self._run(0)
        self.assertFalse(self._case(), "due today is not overdue")
        run = self._run(1)
        case = self._case()
        self.assertRecordValues(case, [{
            "state": "open", "amount_overdue": 1000, "days_overdue": 1,
            "oldest_due_date": self._day(0), "policy_id": self.policy.id,
        }])
        action = case.action_ids
        self.assertRecordValues(action, [{
            "state": "done", "step_id": self.steps["First"].id, "amount": 1000,
            "date_done": self._day(1), "run_id": run.id,
        }])
        self.assertRecordValues(action.item_ids, [{
            "move_line_id": invoice.line_ids.filtered("date_maturity").id,
            "residual": 1000, "days_overdue": 1, "name": invoice.name,
        }])
        self.assertIn(invoice.name, action.message_id.body)
        self.assertEqual(action.message_id.model, "ar.collection.case")
        self.assertEqual(case.next_action_date, self._day(7))
        self._pay(invoice, 400, day=2)
        self.assertEqual(case.amount_overdue, 600)
        self._run(8)
        self.assertEqual(len(case.action_ids), 3)
        payment = self._pay(invoice, day=9)
        self.assertRecordValues(case, [{"state": "closed", "close_reason": "paid"}])
        payment.move_id.line_ids.remove_move_reconcile()
        self.assertRecordValues(case, [{"state": "open", "amount_overdue": 600}])
