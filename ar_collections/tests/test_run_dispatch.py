import contextlib
import io
from datetime import timedelta
from itertools import pairwise
from unittest.mock import patch

from hypothesis import given, strategies as st
from pypdf import PdfReader

from odoo import Command, fields
from odoo.tests import BaseCase, HttpCase, tagged
from odoo.tools import config, mute_logger

from ..models.run.run_pace import BATCH_SHARE, JOB_SHARE, Pace, Shift, get_worker_limit
from .common import CollectionsCommon

RUN_LOGGER = "odoo.addons.ar_collections.models.run.collection_run"
LOGGER = "odoo.addons.ar_collections.models.run.collection_dispatch"


def limited(**options):
    """Limits of the workers, as on the command line."""
    return patch.dict(config.options.maps[0], options)


class DispatchCommon(CollectionsCommon):
    """A policy whose first step is a letter by e-mail."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.policy.skip_rest_days = False
        cls.policy.step_ids.unlink()
        cls.step = cls.env["ar.collection.step"].create(
            {
                "name": "Letter",
                "policy_id": cls.policy.id,
                "days": 1,
                "channel": "letter",
                "stage_id": cls.stages["reminder"].id,
                "template_id": cls.mail_template.id,
                "report_id": cls.env.ref("ar_collections.report_formal_letter").id,
            }
        )

    def _decide(self, day=0, company=None):
        """The day as its job lives it: letters are another job's."""
        company = company or self.company
        runs = self.env["ar.collection.run"].sudo()
        run = runs.search([("company_id", "=", company.id), ("date", "=", self._day(day))])
        run = run or runs.create({"company_id": company.id, "date": self._day(day)})
        run._execute()
        return run

    def _dispatch(self, day=0, checkpoint=None, **context):
        dispatch = self.env["ar.collection.dispatch"].sudo().with_context(**context)
        dispatch._dispatch(self.company, self._day(day), checkpoint)

    def _late(self, *names):
        customers = [self._customer(name) for name in names]
        for customer in customers:
            self._invoice(customer, 100, due=-1)
        return customers

    def _all_letters(self):
        return self.env["ar.collection.action"].search([("step_id", "=", self.step.id)])

    def _letter(self, partner=None):
        return self._case(partner).action_ids.filtered("step_id")


class TestDispatch(DispatchCommon):
    def test_decided_by_the_day_and_printed_by_its_job(self):
        self._invoice(self.customer, 100, due=-1)
        run = self._decide()
        letter = self._letter()
        self.assertRecordValues(
            letter,
            [
                {
                    "state": "planned",
                    "send_date": self._day(0),
                    "amount": 100,
                    "attachment_id": False,
                    "message_id": False,
                }
            ],
        )
        self.assertRecordValues(run, [{"state": "done", "queued_count": 1, "action_count": 1}])
        self._dispatch()
        self.assertRecordValues(
            letter, [{"state": "done", "send_date": False, "date_done": self._day(0)}]
        )
        self.assertTrue(letter.attachment_id)
        self.assertEqual(letter.message_id.attachment_ids, letter.attachment_id)
        self.assertEqual(run.queued_count, 0)
        message = letter.message_id
        self._dispatch()
        self._decide()
        self.assertEqual(self._letter().message_id, message, "once")

    def test_amounts_are_of_the_moment_it_is_printed(self):
        invoice = self._invoice(self.customer, 100, due=-1)
        self._decide()
        self._pay(invoice, 40, day=0)
        self._dispatch(1)
        letter = self._letter()
        self.assertRecordValues(
            letter, [{"state": "done", "amount": 60, "date_done": self._day(1)}]
        )
        self.assertIn("60.00", letter.message_id.subject)

    def test_what_is_not_owed_any_more_is_not_printed(self):
        """Paid, or all of it promised: called off, and no step is used up."""
        promising, paying = self._late("Promising", "Paying")
        invoice = self._invoice(paying, 30, due=-2)
        self._decide()
        self._pay(invoice | invoice.search([("partner_id", "=", paying.id)]), day=0)
        promise = (
            self.env["ar.payment.promise"]
            .sudo()
            .create(
                {
                    "partner_id": promising.id,
                    "company_id": self.company.id,
                    "amount": 100,
                    "currency_id": self.company.currency_id.id,
                    "date": self._day(3),
                }
            )
        )
        self._dispatch()
        for customer in (promising, paying):
            self.assertEqual(self._letter(customer).state, "cancelled")
            self.assertFalse(self._letter(customer).attachment_id)
        self.assertFalse(self._case(promising).ladder_days)
        self._run(7)
        self.assertEqual(promise.state, "broken")
        self.assertEqual(
            self._letter(promising).sorted("id").mapped("state"), ["cancelled", "done"]
        )

    def test_one_that_fails_does_not_stop_the_others(self):
        good, bad, other = self._late("Good", "Bad", "Other")
        self._decide()
        original = type(self.env["ir.actions.report"])._render_letters

        def broken(reports, report, records):
            if bad in records.partner_id:
                raise ValueError("no paper")
            return original(reports, report, records)

        reports = self.registry["ir.actions.report"]
        with patch.object(reports, "_render_letters", broken), mute_logger(LOGGER):
            self._dispatch()
        for customer in (good, other):
            self.assertEqual(self._letter(customer).state, "done")
        self.assertRecordValues(
            self._letter(bad),
            [{"state": "failed", "failure_reason": "no paper", "send_date": self._day(1)}],
        )
        self.assertFalse(self._case(bad).ladder_days, "no step is used up")
        self.assertTrue(self._case(bad).activity_ids)
        self._run(1)
        self.assertRecordValues(self._letter(bad), [{"state": "done", "date_done": self._day(1)}])
        self.assertFalse(self._case(bad).activity_ids)

    def test_letters_wait_as_their_cases_do(self):
        paused, replied = self._late("Paused", "Replied")
        self._decide()
        self._case(paused)._pause_until("They look into it", self._day(9))
        self._case(replied).sudo().contact_pause_end = self._day(5)
        self._dispatch()
        self.assertEqual(self._letter(paused).state, "planned")
        self.assertEqual(self._letter(replied).state, "planned")
        self._run(5)
        self.assertEqual(self._letter(replied).state, "done")
        self._run(9)
        self.assertEqual(self._letter(paused).state, "done")
        for customer in (paused, replied):
            self.assertEqual(len(self._letter(customer)), 1)

    def test_next_step_waits_for_a_letter_that_is_not_printed(self):
        self.policy.step_ids = [
            Command.create(
                {
                    "name": "Final",
                    "days": 7,
                    "channel": "email",
                    "template_id": self.mail_template.id,
                }
            )
        ]
        self._invoice(self.customer, 100, due=-1)
        self._decide()
        self._decide(8)
        self.assertEqual(self._letter().state, "planned")
        self.assertRecordValues(
            self._case(), [{"waiting_for": "undelivered", "next_action_date": self._day(9)}]
        )

    def test_day_that_may_not_send(self):
        self._late("Good")
        self._decide()
        runs = self.registry["ar.collection.run"]
        with patch.object(runs, "_get_reason_not_to_send", lambda run: "Not yet."):
            self._dispatch()
            letters = self._all_letters()
            self.assertEqual(letters.state, "planned")
        self._dispatch()
        self.assertEqual(letters.state, "done")

    def test_batches_end_by_time(self):
        """However slow a letter is: at least one is done before time is over, none is lost."""
        self._late(*(f"Debtor {number}" for number in range(12)))
        self._decide()
        letters = self._all_letters()
        passes = []
        while "planned" in letters.mapped("state"):
            done = []
            with limited(limit_time_real_cron=1e-6):
                self._dispatch(0, lambda count, left, done=done: done.append((count, left)) or 0)
            passes.append([batch for batch in done if batch[0]])
        self.assertEqual(passes, [[(10, 2)], [(2, 0)]], "the first batch is tried whole")
        pace = Pace(2, 20)
        pace.learn(7, 7.0)
        self.assertEqual(pace.size, 2, "and those after it have learned")

    def test_letter_that_stops_the_worker(self):
        """It is tried alone, after all others, and at last it is given up for the day."""
        first, bad, last = self._late("First", "Bad", "Last")
        self._decide()

        class Killed(BaseException):
            pass

        original = self.registry["ar.collection.dispatch"]._send_batch

        def send(dispatch, actions, date):
            batches.append(actions.partner_id)
            if bad in actions.partner_id and "planned" in actions.mapped("state"):
                raise Killed
            return original(dispatch, actions, date)

        batches = []
        with patch.object(self.registry["ar.collection.dispatch"], "_send_batch", send):
            for _kill in range(3):
                # assertRaises would roll back what was committed before the worker was killed.
                with contextlib.suppress(Killed):
                    self._dispatch(0, lambda done, left: 100)
            self.assertEqual(batches[0], first | bad | last)
            self.assertEqual(batches[1:], [first, bad, last, bad], "each alone")
            self.assertEqual(self._letter(bad).state, "planned")
            self._dispatch(0, lambda done, left: 100)
        self.assertRecordValues(self._letter(bad), [{"state": "failed", "send_date": self._day(1)}])
        for customer in (first, last):
            self.assertEqual(self._letter(customer).state, "done")
        self._run(1)
        self.assertEqual(self._letter(bad).state, "done")

    def test_step_by_hand_is_no_letter_of_the_job(self):
        self.step.automatic = False
        self._late("Good")
        self._decide()
        letter = self._all_letters()
        self.assertFalse(letter.send_date)
        self._dispatch()
        self.assertEqual(letter.state, "planned")

    def test_post_service_or_paper(self):
        self.step.letter_by = "print"
        self._late("Good")
        self._decide()
        letter = self._all_letters()
        self.assertFalse(letter.send_date, "paper waits for a person")


@tagged("-at_install", "post_install")
class TestDispatchPdf(DispatchCommon, HttpCase):
    def test_one_call_prints_many(self):
        """Each customer gets the own letter and nothing else, with its own page numbers."""
        names = [f"Debtor {number}" for number in range(3)]
        customers = self._late(*names)
        for _number in range(40):
            self._invoice(customers[1], 10, due=-2)
        self._decide()
        calls = []
        original = type(self.env["ir.actions.report"])._run_wkhtmltopdf

        def counted(reports, bodies, *args, **kwargs):
            calls.append(len(bodies))
            return original(reports, bodies, *args, **kwargs)

        with patch.object(self.registry["ir.actions.report"], "_run_wkhtmltopdf", counted):
            self._dispatch(force_report_rendering=True)
        self.assertEqual(calls, [3])
        for customer, pages in zip(customers, (1, 2, 1), strict=True):
            content = self._letter(customer).attachment_id.raw
            found = [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]
            self.assertEqual(len(found), pages)
            for number, page in enumerate(found, 1):
                self.assertRegex(page, rf"{number}\s*/\s*{pages}\b")
            text = "".join(found)
            self.assertEqual([name for name in names if name in text], [customer.name])


class TestDay(DispatchCommon):
    """The jobs, as the scheduler calls them; they read the clock."""

    def setUp(self):
        super().setUp()
        self.now = self.company.with_context(ar_clock=None)._ar_today()
        self.late = (self.now - self.today).days - 1
        self.env["ar.collection.run"].sudo().search([("date", ">=", self.now)]).unlink()

    def _call(self, name):
        with self.enter_registry_test_mode():
            self.env.ref(f"ar_collections.{name}").method_direct_trigger()

    def _triggers(self, name):
        job = self.env.ref(f"ar_collections.{name}")
        return self.env["ir.cron.trigger"].search([("cron_id", "=", job.id)])

    def _run_of(self, company):
        return self.env["ar.collection.run"].search(
            [("company_id", "=", company.id), ("date", "=", self.now)]
        )

    def test_letters_follow_the_day_by_themselves(self):
        self._invoice(self.customer, 100, due=self.late)
        self._triggers("ir_cron_dispatch").unlink()
        self._call("ir_cron_daily_run")
        self.assertRecordValues(self._letter(), [{"state": "planned", "send_date": self.now}])
        self.assertTrue(self._triggers("ir_cron_dispatch"))
        self._call("ir_cron_dispatch")
        self.assertEqual(self._letter().state, "done")

    def test_goes_on_in_minutes_whatever_happens(self):
        self._triggers("ir_cron_daily_run").unlink()
        self._invoice(self.customer, 100, due=self.late)
        self._call("ir_cron_daily_run")
        before = fields.Datetime.now()
        after = before + timedelta(minutes=10)
        self.assertTrue(
            self._triggers("ir_cron_daily_run").filtered(
                lambda trigger: before < trigger.call_at < after
            ),
            "set before anything was done",
        )

    def test_out_of_time(self):
        """A day that takes longer than a worker may goes on by a trigger, batch after batch."""
        for number in range(25):
            self._invoice(self._customer(f"Debtor {number}"), 100, due=self.late)
        self._triggers("ir_cron_daily_run").unlink()
        job = self.env.ref("ar_collections.ir_cron_daily_run")
        counts, run = [0], job.browse()
        with limited(limit_time_real_cron=1e-6):
            while not run or run.state != "done":
                self._call("ir_cron_daily_run")
                run = self._run_of(self.company)
                counts.append(run.action_count)
                waiting = self._triggers("ir_cron_daily_run").filtered_domain(
                    [("call_at", "<=", fields.Datetime.now())]
                )
                self.assertTrue(waiting or run.state == "done")
                self.assertEqual(job.failure_count, 0)
        taken = [after - before for before, after in pairwise(counts) if after != before]
        self.assertEqual(sum(taken), 25)
        self.assertEqual(taken[0], 10, "the first batch is tried whole")
        self.assertEqual(len({*self._all_letters().partner_id.ids}), 25)
        self.assertEqual(len(self._all_letters()), 25, "nobody twice")

    def test_company_whose_day_breaks_down(self):
        """The others go on, the job counts no failure, and it is tried again in minutes."""
        other = self._create_company(name="Elsewhere")
        self._invoice(self.customer, 100, due=self.late)
        original = self.registry["ar.collection.run"]._update_cases

        def broken(run):
            if run.company_id == other:
                run.opened_count = 77
                raise ZeroDivisionError("no figures")
            return original(run)

        with (
            patch.object(self.registry["ar.collection.run"], "_update_cases", broken),
            mute_logger(RUN_LOGGER),
        ):
            self._call("ir_cron_daily_run")
            self._call("ir_cron_daily_run")
        self.assertEqual(self._run_of(self.company).state, "done")
        run = self._run_of(other)
        self.assertNotEqual(run.state, "done")
        self.assertEqual(run.log.count("no figures"), 1)
        self.assertEqual(run.opened_count, 0, "what broke down is taken back")
        self.assertEqual(self.env.ref("ar_collections.ir_cron_daily_run").failure_count, 0)
        self._call("ir_cron_daily_run")
        self.assertEqual(run.state, "done")

    def test_clock_that_goes_back(self):
        """An earlier day that was never lived asks nobody a second time."""
        self._invoice(self.customer, 100, due=-1)
        self._run(1)
        letters = self._letter()
        self._run(0)
        self._run(1)
        self.assertEqual(self._letter(), letters)


class TestPace(BaseCase):
    @given(st.lists(st.floats(0.001, 5), min_size=1, max_size=60), st.floats(0.5, 60))
    def test_batches_fit_into_their_time(self, costs, seconds):
        """Every batch but the first fits if its items take as long as those before."""
        pace, done = Pace(seconds, 200), 0
        self.assertEqual(pace.size, 10)
        for cost in costs:
            size = pace.size
            self.assertTrue(1 <= size <= 200)
            pace.learn(size, size * cost)
            self.assertLessEqual(pace.size, max(1, 2 * size))
            self.assertTrue(pace.size == 1 or pace.size * cost <= seconds * (1 + 1e-9))
            done += size
        self.assertGreaterEqual(done, len(costs))

    def test_420_letters_of_a_second_each(self):
        """In a worker that is stopped after 120 s none of the jobs comes near to that."""
        with limited(limit_time_real_cron=120, limit_time_cpu=120):
            limit, left, jobs = get_worker_limit(), 420, []
            while left:
                pace, used = Pace(limit * BATCH_SHARE, 20), 0
                while left and used < limit * JOB_SHARE:
                    batch = min(pace.size, left)
                    left, used = left - batch, used + batch
                    pace.learn(batch, batch)
                jobs.append(used)
        self.assertLess(max(jobs), 90)
        self.assertEqual(sum(jobs), 420)

    def test_limit_of_the_worker(self):
        for options, limit in (
            ({"limit_time_real": 120, "limit_time_real_cron": -1, "limit_time_cpu": 60}, 60),
            ({"limit_time_real": 120, "limit_time_real_cron": -1, "limit_time_cpu": 600}, 120),
            ({"limit_time_real": 120, "limit_time_real_cron": 900, "limit_time_cpu": 600}, 600),
            (
                {"limit_time_real": 120, "limit_time_real_cron": 0, "limit_time_cpu": 0},
                float("inf"),
            ),
        ):
            with limited(**options):
                self.assertEqual(get_worker_limit(), limit)
                self.assertEqual(Shift(None).limit, limit)
