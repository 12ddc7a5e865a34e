import logging
import time
from datetime import timedelta

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

from ..common.res_company import BY_CODE, Clock
from ..common.table_statistics import take_statistics
from .run_pace import Shift

_logger = logging.getLogger(__name__)

# So many minutes after it was killed or broke down a day goes on by itself.
MINUTES_TO_GO_ON = 5


class ArCollectionRun(models.Model):
    """One day of collection of one company.

    Every part of a run looks at what is already there before it acts, so that a run that was
    killed goes on where it stopped and a run that is repeated does nothing.

    Who holds the run leads it: figures, cases, what waits, what failed and the end of the day are
    its work. Others take steps beside it, of customers that nobody else deals with at the moment,
    and write nothing to the run.
    """

    _name = "ar.collection.run"
    _inherit = "ar.readonly.mixin"
    _description = "Collection Run"
    _order = "date desc, id desc"
    _rec_name = "date"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company.root_id,
        domain=[("parent_id", "=", False)],
    )
    date = fields.Date(required=True, default=lambda self: self.env.company._ar_today())
    state = fields.Selection(
        [
            ("draft", "New"),
            ("preview", "Preview"),
            ("running", "Running"),
            ("done", "Done"),
        ],
        default="draft",
        required=True,
        readonly=True,
    )
    line_ids = fields.One2many("ar.collection.run.line", "run_id", readonly=True)
    action_ids = fields.One2many("ar.collection.action", "run_id", readonly=True)
    opened_count = fields.Integer(string="Cases Opened", readonly=True)
    closed_count = fields.Integer(string="Cases Closed", readonly=True)
    action_count = fields.Integer(string="Actions", readonly=True)
    failure_count = fields.Integer(string="Failures", readonly=True)
    # Figures and cases have followed the day: a run that goes on need not do it again.
    is_followed = fields.Boolean(readonly=True)
    remaining_count = fields.Integer(string="Still to Do", readonly=True)
    message_count = fields.Integer(string="Messages", readonly=True)
    waiting_count = fields.Integer(
        string="Customers Waiting",
        readonly=True,
        help="Customers whose step is due and not taken, for the reason in the log.",
    )
    over_limit_count = fields.Integer(
        string="Over the Limit",
        readonly=True,
        help="Customers who wait because the messages of the day reached their limit.",
    )
    standing = fields.Char(
        compute="_compute_standing", help="Why the company sends nothing by itself now."
    )
    limit_lifted_by_id = fields.Many2one("res.users", readonly=True)
    told_ids = fields.Many2many("mail.activity", readonly=True)
    progress = fields.Float(compute="_compute_progress")
    queued_count = fields.Integer(
        string="Letters to Print",
        compute="_compute_queued_count",
        help="Decided by this run; they are printed and sent one after the other.",
    )
    seconds = fields.Float(readonly=True)
    log = fields.Text(readonly=True)

    _one_a_day = models.UniqueIndex(
        "(company_id, date)", "There is already a collection run of this company for this day."
    )

    @api.depends("state", "action_count", "remaining_count")
    def _compute_progress(self):
        for run in self:
            total = run.action_count + run.remaining_count
            run.progress = 100 * run.action_count / total if total else 100 * (run.state == "done")

    @api.depends("company_id")
    def _compute_standing(self):
        for run in self:
            run.standing = run.sudo()._get_reason_not_to_send() or False

    @api.depends("action_ids.send_date", "action_ids.state")
    def _compute_queued_count(self):
        actions = self.env["ar.collection.action"]
        counts = dict(
            actions._read_group(
                [("run_id", "in", self.ids), *actions._get_queued_domain()],
                ["run_id"],
                ["__count"],
            )
        )
        for run in self:
            run.queued_count = counts.get(run, 0)

    @api.constrains("company_id")
    def _check_root(self):
        for run in self:
            if run.company_id.parent_id:
                raise UserError(self.env._("A run is of a company with all its branches."))

    def write(self, vals):
        self.check_access("write")
        if not vals.keys().isdisjoint(("date", "company_id")) and any(
            run.state in ("running", "done") for run in self
        ):
            raise UserError(self.env._("A collection run that was executed keeps its day."))
        return super().write(vals)

    # Entry points

    @api.model
    def _run_for(self, company, date, execute=True, as_job=False):
        """The run of that company and day, created once, previewed or executed.

        The day is lived as a whole, with the letters that a job prints otherwise. Whoever calls
        it has decided that the company sends: it need not have been started, and nobody is asked
        about the number of messages. What somebody has stopped stays stopped.

        :param as_job: hold back what the daily job holds back
        """
        company, date = company.root_id, fields.Date.to_date(date)
        # Whatever is asked for the day meanwhile, it is this one.
        runs = self.sudo().with_context(ar_clock=Clock(date))
        if not as_job:
            runs = runs.with_context(ar_by_code=BY_CODE)
        run = runs.search([("company_id", "=", company.id), ("date", "=", date)])
        if not run:
            run = runs.create({"company_id": company.id, "date": date})
        if execute:
            run._execute()
            runs.env["ar.collection.dispatch"]._dispatch(company.with_env(runs.env), date)
        else:
            run._preview()
        return run.with_env(self.env)

    def action_preview(self):
        self._check_manager()
        for run in self.sudo():
            run._preview()

    def action_execute(self):
        self._check_manager()
        self._check_day()
        for run in self.sudo():
            run._execute()
        self.env["ar.collection.dispatch"].sudo()._start()

    def _check_day(self):
        """People live today, once: a day to come, or one that later runs have left behind, would
        change cases, holds and the day of the company for good."""
        for run in self.sudo():
            company = run.company_id
            if run.date > company._ar_today():
                raise UserError(self.env._("A run of a day to come can be previewed only."))
            if company.ar_run_date and run.date < company.ar_run_date:
                raise UserError(
                    self.env._(
                        "The run of %s is done already: an earlier day can be previewed only.",
                        format_date(self.env, company.ar_run_date),
                    )
                )

    def action_lift_limit(self):
        """Let out today what is over the limit of messages a day."""
        self._check_manager()
        self.check_access("write")
        self._check_day()
        for run in self.sudo().filtered("over_limit_count"):
            run.limit_lifted_by_id = self.env.user
            run._note(self.env._("%s lets out what is over the limit.", self.env.user.name))
        self._trigger_today()

    @api.model
    def _trigger_today(self):
        """Let the scheduler go on with today at once."""
        self.env.ref("ar_collections.ir_cron_daily_run").sudo()._trigger()

    def action_preview_messages(self):
        """Look at the messages that the previewed run would send."""
        self.ensure_one()
        return self.env["ar.collection.preview"]._open_for_run(self.line_ids)

    def _check_manager(self):
        self.check_access("write")
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("Only a credit manager can start a collection run."))

    @api.model
    def _cron_daily(self):
        """Run today for every company, in batches that are committed one by one.

        What is left when its time is over goes on by a trigger, and a day that is killed by one
        that was set before. A company whose day breaks down does not stop the others.
        """
        shift = Shift(self.env["ir.cron"])
        companies = self.env["res.company"].search([("parent_id", "=", False)])
        for company in companies:
            self.with_company(company)._run_for_cron(company)._lead(shift)
            if not shift.seconds_left:
                break
        self.env["ar.collection.dispatch"]._start()
        shift.commit(0, 0)

    @api.model
    def _cron_share(self):
        """Take part in the days that are under way; any number of jobs may do so at once.

        No day is begun here, and one that nobody leads any more is led on.
        """
        shift = Shift(self.env["ir.cron"])
        for run in self.search([("state", "=", "running"), ("is_followed", "=", True)]):
            company = run.company_id
            if run.date == company._ar_today() and shift.seconds_left:
                run = run.with_company(company)
                if not run._lead(shift):
                    self.env["ar.collection.worker"]._help(run, shift)
                    if shift.seconds_left:
                        run._lead(shift)
        self.env["ar.collection.dispatch"]._start()
        shift.commit(0, 0)

    def _lead(self, shift):
        """Execute, unless the day is done or somebody else leads it; return whether it did."""
        if not self._is_unfinished() or not self._hold():
            return False
        job = self.env.ref("ar_collections.ir_cron_daily_run")
        self._go_on_later(job)
        shift.commit(0, 1)
        self.env.invalidate_all()
        self._execute_for_cron(shift.commit)
        if not shift.seconds_left:
            job._trigger()
        return True

    def _hold(self):
        """Whether nobody else leads the run: nobody will until the next commit."""
        try:
            with self.env.cr.savepoint(flush=False):
                return bool(self.try_lock_for_update(allow_referencing=True))
        except SerializationFailure:
            # Somebody has written to it since this transaction began.
            return False

    @api.model
    def _go_on_later(self, job):
        """Have the job called again in some minutes, whatever becomes of this call."""
        now = fields.Datetime.now()
        waiting = [("cron_id", "=", job.id), ("call_at", ">", now)]
        if not self.env["ir.cron.trigger"].sudo().search_count(waiting, limit=1):
            job._trigger(now + timedelta(minutes=MINUTES_TO_GO_ON))

    def _execute_for_cron(self, checkpoint):
        """Execute; when it breaks down, what was committed stays and the run says why it waits."""
        try:
            self._execute(checkpoint)
        except Exception as error:
            # The scheduler would try again tomorrow, and give up after a week.
            self.env.cr.rollback()
            _logger.exception("Collection run %s broke down and goes on later", self.id)
            if self._hold():
                self._note(self.env._("Broke down, goes on in some minutes: %s", error))
            checkpoint(0, 1)

    @api.model
    def _run_for_cron(self, company):
        date = company._ar_today()
        run = self.search([("company_id", "=", company.id), ("date", "=", date)])
        return run or self.create({"company_id": company.id, "date": date})

    # The day

    def _execute(self, checkpoint=None):
        """Live the day: figures, cases, steps due, courtesy messages, warnings.

        :param checkpoint: called as ``checkpoint(done, remaining)`` after each batch to commit
            it; returns the seconds left, and the run stops when there are none
        """
        self.ensure_one()
        if not self._is_unfinished():
            return
        if not self._hold():
            if checkpoint:
                return
            raise UserError(self.env._("This collection run is being executed right now."))
        start = time.monotonic()
        if self.state != "running":
            self._take_over()
            if self.state != "done":
                self.write({"opened_count": 0, "closed_count": 0})
            self.write({"state": "running", "line_ids": [(5, 0, 0)], "is_followed": False})
        self.write({"waiting_count": 0, "over_limit_count": 0})
        self._untell()
        finished = self._follow_day(checkpoint) and self._take_day(checkpoint)
        if finished is None:
            return
        self._count_results(time.monotonic() - start)
        if checkpoint:
            checkpoint(1, 0 if finished else max(self.remaining_count, 1))

    def _follow_day(self, checkpoint):
        """Figures, cases and failed contacts follow the day; return whether the run goes on,
        ``None`` when somebody else leads it now."""
        if self.is_followed:
            return True
        company, date = self.company_id, self.date
        # What was touched before is judged at its own day.
        self.env["ar.ledger.touch"]._settle_touched()
        if not company.ar_run_date or company.ar_run_date < date:
            company.ar_run_date = date
        # The next step waits for what did not get through.
        self.env["ar.collection.failure"]._notice_failures(company, date)
        self._update_cases()
        self.env["ar.ageing.snapshot"]._take_month_end(company, date)
        self.is_followed = True
        # At least one batch is taken, however long this took.
        return None if self._commit(checkpoint, 1, 1) is None else True

    def _take_day(self, checkpoint):
        """Take the steps that are due; return whether all had their turn, ``None`` when somebody
        else leads the run now."""
        company, date = self.company_id, self.date
        plans = self._get_plans()
        due = self._get_due_plans(plans)
        worker = self.env["ar.collection.worker"]
        if checkpoint:
            worker._call_others(due)
        if not (taken := worker._take_all(self, due, checkpoint)):
            return taken
        take_statistics(self.env, len(due), "ar.collection.action", "ar.collection.action.item")
        self.env["ar.collection.priority.rule"]._score_cases(company)
        if due:
            plans = self.env["ar.collection.planner"]._plan_cases(company, date)
        self.env["ar.collection.sync"]._refresh_next_actions(company, date, plans)
        self._check_silent()
        self._tell_what_waits()
        self.state = "done"
        return True

    def _commit(self, checkpoint, done, remaining):
        """Commit what is done and hold the run again.

        :return: seconds that are left, or ``None`` when somebody else has taken the run
        """
        if not checkpoint:
            self.env.flush_all()
            self.env.invalidate_all(flush=False)
            return float("inf")
        left = checkpoint(done, remaining)
        self.env.invalidate_all()
        return left if self._hold() else None

    def _get_reason_not_to_send(self):
        """Why no step is taken on this day, although steps are due.

        A hook, for what has to be ready or approved first. Figures and cases follow the day all
        the same, and what was due is taken by the next run that may send.

        :return: text for the log of the run, or nothing
        """
        return self.company_id._ar_get_reason_not_to_send()

    # What waits for a yes

    def _is_unfinished(self):
        """Whether the day has something left to do: also when what waited may go out now."""
        if self.state != "done":
            return True
        return bool(
            self.waiting_count
            and self.date == self.company_id.ar_run_date
            and not self._get_reason_not_to_send()
            and (not self.over_limit_count or self._get_room() > 0)
        )

    def _let_out(self, plans):
        """Those of the plans that may be taken now; the others wait.

        Asked before each batch: somebody may have stopped it since the day began.
        """
        if self._get_reason_not_to_send():
            going = []
        else:
            plans = self._drop_stopped(plans)
            going = self._keep_to_limit(plans)
        self.waiting_count += len(plans) - len(going)
        return going

    def _drop_stopped(self, plans):
        planner = self.env["ar.collection.planner"]
        return self._get_due_plans(planner._stop_plans(self.company_id, self.date, plans))

    def _keep_to_limit(self, plans):
        """The plans whose messages the limit of the day has room for; work for people is no
        message."""
        room, going = self._get_room(), []
        for plan, messages in zip(plans, self._count_planned(plans), strict=True):
            if not messages or messages <= room:
                room -= messages
                going.append(plan)
        self.over_limit_count += len(plans) - len(going)
        return going

    @api.model
    def _count_planned(self, plans):
        """How many messages each plan sends."""
        policies = self.env["ar.collection.policy"].browse({plan.policy_id for plan in plans})
        planner = self.env["ar.collection.planner"]
        steps = planner._get_steps_by_day(policies)
        return [
            len(plan.again_ids)
            or sum(
                step.automatic and step._get_min_amount(self.company_id) <= plan.amount
                for step in planner._get_plan_steps(plan, steps)
            )
            for plan in plans
        ]

    def _get_room(self):
        """How many messages more the day may send."""
        if self.limit_lifted_by_id or self.company_id._ar_is_by_code():
            return float("inf")
        return self.company_id._ar_get_daily_limit() - self._count_messages()

    def _count_messages(self):
        """How many messages the day has sent so far, or printed."""
        return self.env["ar.collection.action"].search_count(
            [
                ("run_id", "=", self.id),
                ("step_id.automatic", "=", True),
                ("state", "in", ("planned", "done")),
            ]
        )

    def _tell_what_waits(self):
        """Note why steps were not taken, and tell who can do something about it."""
        users = self.env["res.users"]
        company = self.company_id
        people = users._ar_get_somebody(company)
        if self.waiting_count and (reason := self._get_reason_not_to_send()):
            self._note(reason)
            if company._ar_get_obstacle():
                people |= users._ar_get_administrators(company)
            self._tell(people, reason)
        elif self.over_limit_count:
            reason = self.env._(
                "%(count)s customers wait: the day has reached its limit of %(limit)s messages. "
                "Press Send the Rest on the run when it is right that there are more.",
                count=self.over_limit_count,
                limit=company._ar_get_daily_limit(),
            )
            self._note(reason)
            self._tell(people, reason)
        if proposed := self.env["ar.credit.file"].search_count(
            [("company_id", "=", company.id), ("hold_proposal", "!=", False)]
        ):
            self._tell(
                people,
                self.env._(
                    "Stages propose to hold the credit of %s customers: decide under Credit > "
                    "Credit Files, filter Proposed Holds.",
                    proposed,
                ),
            )

    def _tell(self, people, text):
        # Told anew every day: one line to do, and no mail.
        activities = self.env["mail.activity"].with_context(mail_activity_quick_update=True)
        self.told_ids |= activities.create(
            [
                {
                    "activity_type_id": self.env.ref("mail.mail_activity_data_todo").id,
                    "automated": True,
                    "summary": text,
                    "date_deadline": self.date,
                    "user_id": user.id,
                }
                for user in people
            ]
        )

    def _untell(self):
        """What was told before is told again as long as it is so."""
        told = self.search([("company_id", "=", self.company_id.id), ("told_ids", "!=", False)])
        told.told_ids.unlink()

    def _note(self, text):
        if text not in (self.log or ""):
            self.log = "\n".join(filter(None, (self.log, text)))

    def _take_over(self):
        """Runs of earlier days that were killed have nothing left to do: this one does it."""
        earlier = self.search(
            [
                ("company_id", "=", self.company_id.id),
                ("date", "<", self.date),
                "|",
                ("state", "=", "running"),
                ("waiting_count", ">", 0),
            ]
        )
        # What waited is due today.
        earlier.line_ids.unlink()
        killed = earlier.filtered(lambda run: run.state == "running")
        for run in killed:
            note = self.env._("Interrupted; the run of %s went on with it.", self.date)
            run._note(note)
            run.state = "done"

    def _update_cases(self):
        """Figures first; then cases that end, change, wake up or begin."""
        company, date = self.company_id, self.date
        # Nothing is given to, or written as, who has left in whatever way.
        self.env["res.users"]._ar_hand_over(companies=company)
        # What is broken today is asked for today.
        self.env["ar.payment.promise"]._judge_promises(company, date)
        self.env["ar.payment.plan"]._judge_plans(company, date)
        self.env["ar.dispute"]._escalate_due(company, date)
        self.env["ar.writeoff.request"]._run_daily(company, date)
        items = self.env["account.move.line"]
        items._end_exclusions(company, date)
        refresh = self.env["ar.credit.refresh"]
        refresh._refresh_figures(company, date)
        refresh._refresh_behaviour(company, date)
        self.env["ar.credit.scoring"]._score_again(company, date)
        self.env["ar.credit.review"]._apply_due(company, date)
        self.env["ar.credit.review"]._open_due(company, date)
        refresh._refresh_limits(company, date)
        self.env["ar.credit.cover"]._refresh_all(company, date)
        self.env["ar.credit.warning"]._refresh_warnings(company, date)
        self.env["ar.credit.scoring"]._record_scores(company, date)
        self.env["ar.credit.hold.rule"]._apply_hold_rules(company, date)
        self.env["ar.credit.twin"]._refresh_twins(company, date)
        self.env["ar.credit.offer"]._propose_terms(company, date)
        cases = self.env["ar.collection.case"]
        sync = self.env["ar.collection.sync"]
        closed = sync._sync_cases(company, date)
        cases.search(
            [
                ("company_id", "=", company.id),
                ("state", "=", "paused"),
                ("pause_end", "<=", date),
            ]
        ).action_resume()
        opened = sync._open_new(company, date)
        take_statistics(self.env, len(opened), "ar.collection.case")
        self.env["ar.collection.policy"]._follow(
            cases.search([("company_id", "=", company.id), ("state", "!=", "closed")])
        )
        cases._refresh_charges(company, date)
        self.env["ar.collection.assignment"]._assign_collectors(company)
        if opened:
            # Their turn today is by their priority, too.
            self.env["ar.collection.priority.rule"]._score_cases(company)
        items._ask_to_decide(company, date)
        cases._propose_escalations(company, date)
        self.env["ar.limitation"]._warn(company, date)
        self.env["ar.salesperson.digest"]._send_due(company, date)
        self.opened_count += len(opened)
        self.closed_count += len(closed)

    def _get_plans(self):
        planner = self.env["ar.collection.planner"]
        return [
            *planner._plan_cases(self.company_id, self.date),
            *planner._plan_courtesy(self.company_id, self.date),
        ]

    @api.model
    def _get_due_plans(self, plans):
        return [plan for plan in plans if plan.decision.step_day is not None]

    def _count_taken(self, remaining):
        self.remaining_count = remaining
        self.action_count = self.env["ar.collection.action"].search_count(
            [("run_id", "=", self.id)]
        )

    def _record_failure(self, plan, error):
        partner = self.env["res.partner"].browse(plan.partner_id)
        case = self.env["ar.collection.case"].browse(plan.case_id)
        self.failure_count += 1
        self._note(f"{partner.display_name}: {error}")
        if case:
            case.last_error = str(error)
            case._message_log(body=self.env._("The daily run failed: %s", error))

    def _check_silent(self):
        """Every open case has a next date or a reason: name those that have neither."""
        silent = self.env["ar.collection.case"]._get_silent_cases(self.company_id, self.date)
        if not silent:
            return
        summary = self.env._("Neither a next date nor a reason: decide what comes next")
        names = "\n".join(f"{case.partner_id.display_name}: {summary}" for case in silent)
        self._note(names)
        # Whose case has an activity already has something to do.
        self.env["mail.activity"]._ar_give(
            self.company_id,
            "ar_collections.activity_task",
            self.date,
            {case: (summary, "") for case in silent if not case.activity_ids},
        )

    def _count_results(self, seconds):
        actions = dict(
            self.env["ar.collection.action"]._read_group(
                [("run_id", "=", self.id)], ["state"], ["__count"]
            )
        )
        self.action_count = sum(actions.values())
        self.message_count = self._count_messages()
        self.seconds += seconds
        failed = self.env["ar.collection.case"].search_count(
            [
                ("company_id", "=", self.company_id.id),
                ("last_error", "!=", False),
            ]
        )
        self.failure_count = actions.get("failed", 0) + failed

    # Preview

    def _preview(self):
        """List what the run would do, and why; nothing is sent and nothing else is kept."""
        self.ensure_one()
        if self.waiting_count:
            plans = self._get_due_plans(self._get_plans())
            lines = self._get_preview_lines(plans)
            self.line_ids = [(5, 0, 0), *((0, 0, line) for line in lines)]
        if self.state not in ("draft", "preview"):
            return
        with self.env.cr.savepoint() as savepoint:
            self.with_context(tracking_disable=True)._update_cases()
            counts = {"opened_count": self.opened_count, "closed_count": self.closed_count}
            lines = self._get_preview_lines(self._get_plans())
            self.env.flush_all()
            savepoint.rollback()
        self.env.invalidate_all(flush=False)
        self.write(
            {
                **counts,
                "state": "preview",
                "line_ids": [(5, 0, 0), *((0, 0, line) for line in lines)],
            }
        )

    def _get_preview_lines(self, plans):
        actions, planner = self.env["ar.collection.action"], self.env["ar.collection.planner"]
        policies = self.env["ar.collection.policy"].browse(
            {plan.policy_id for plan in plans if plan.policy_id}
        )
        steps = planner._get_steps_by_day(policies)
        shown = [plan for plan in plans if plan.decision.step_day is not None or plan.decision.wait]
        drafts = {
            plan.partner_id: actions.new(
                {
                    "partner_id": plan.partner_id,
                    "company_id": self.company_id.id,
                }
            )
            for plan in shown
        }
        recipients = self._get_preview_recipients(shown, drafts)
        lines = []
        for plan in shown:
            draft = drafts[plan.partner_id]
            common = {
                "partner_id": plan.partner_id,
                "amount": plan.amount,
                "days_overdue": plan.days_overdue,
                "wait": plan.decision.wait,
            }
            if plan.decision.wait:
                lines.append(common)
            for step in planner._get_plan_steps(plan, steps):
                if plan.amount < step._get_min_amount(self.company_id):
                    continue
                field = step._get_address_field()
                contact = recipients[field][draft]
                is_message = step._get_channel(step.channel).is_automatic
                address = is_message and (
                    contact.contact_address_inline if field == "street" else contact[field]
                )
                lines.append(
                    {
                        **common,
                        "step_id": step.id,
                        "channel": step.channel,
                        "address": address,
                        "no_address": step.automatic and not address,
                        "courtesy_line_ids": [(6, 0, plan.line_ids)],
                    }
                )
        return lines

    def _get_preview_recipients(self, plans, drafts):
        """``{field: {draft: who gets the messages of its plan}}``

        :param drafts: ``{customer id: action}``, not stored
        """
        actions = self.env["ar.collection.action"]
        asked = actions._get_asked_items(
            self.company_id,
            self.date,
            [(plan.partner_id, None if plan.case_id else plan.line_ids) for plan in plans],
        )
        lines = {
            drafts[plan.partner_id]: [item.line_id for item in items]
            for plan, items in zip(plans, asked, strict=True)
        }
        news = actions.union(*drafts.values())
        return {
            field: news._get_recipients(field, lines=lines)
            for field in ("email", "phone", "street")
        }

    @api.readonly
    def action_open_actions(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Actions"),
            "res_model": "ar.collection.action",
            "view_mode": "list,form",
            "domain": [("run_id", "=", self.id)],
        }

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done(self):
        if any(run.state in ("running", "done") for run in self):
            raise UserError(self.env._("A collection run that was executed is kept."))
