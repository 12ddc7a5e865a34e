import logging

from psycopg2 import OperationalError

from odoo import api, models
from odoo.tools import groupby

from .run_pace import BATCH_SHARE, Pace, get_worker_limit

_logger = logging.getLogger(__name__)

# A batch has so many customers at most, however fast they are.
BATCH = 200


class ArCollectionWorker(models.AbstractModel):
    """Takes the steps of a day, alone or beside other workers.

    Each worker plans the day for itself, the urgent cases first, and takes batch by batch the
    customers that no other one has locked. Whoever had a turn since the plan was made is left
    out, so nobody is asked twice; a worker that is killed leaves its batch to the others.
    """

    _name = "ar.collection.worker"
    _description = "Worker of a Collection Run"

    # Who leads the run

    @api.model
    def _take_all(self, run, plans, checkpoint):
        """Take all plans in batches that end by time, and count in the run.

        :param checkpoint: see ``_execute`` of the run
        :return: whether all of them had their turn, ``None`` when somebody else leads now
        """
        pace = self._get_pace(checkpoint)
        waiting, busy = self._get_customers(plans), []
        while waiting:
            batch, waiting = waiting[: pace.size], waiting[pace.size :]
            with pace.keep(len(batch)):
                mine, others = self._lock_customers(batch)
                busy += others
                if going := run._let_out(self._drop_ended(mine)):
                    self._take_batch(run, going)
                run._count_taken(len(waiting) + len(busy))
                left = run._commit(checkpoint, len(mine), run.remaining_count + 1)
            if not left and (waiting or left is None):
                return None if left is None else False
            if busy and left and not waiting and checkpoint and pace.wait():
                waiting, busy = busy, []
        return not busy

    @api.model
    def _take_batch(self, run, plans):
        """Take the batch at once; when that fails, one by one, so that only the cause fails."""
        if self._take_at_once(run, plans):
            return
        for plan in plans:
            try:
                self._take(run, [plan])
            except OperationalError:
                raise
            except Exception as error:
                _logger.exception("Collection run %s: case %s failed", run.id, plan.case_id)
                self.env.invalidate_all(flush=False)
                run._record_failure(plan, error)

    # Who helps

    @api.model
    def _call_others(self, plans):
        """Have all jobs called that take part in a day, when there is enough to do."""
        if len(plans) > BATCH:
            jobs = self.env["ir.cron"].sudo().search([("code", "=", "model._cron_share()")])
            for job in jobs:
                job._trigger()

    @api.model
    def _help(self, run, shift):
        """Take steps of a run that another worker leads, as long as there are some.

        What waits and what fails is left to whoever leads. Near the limit of the day one worker
        counts alone.
        """
        try:
            plans = run._get_due_plans(run._get_plans())
            if sum(run._count_planned(plans)) <= run._get_room():
                self._take_some(run, plans, shift)
        except OperationalError:
            self.env.cr.rollback()
            _logger.info("Collection run %s: two workers were at odds", run.id)
        self.env.invalidate_all()

    @api.model
    def _take_some(self, run, plans, shift):
        pace = self._get_pace(shift)
        waiting = self._get_customers(plans)
        while waiting and shift.seconds_left and not run._get_reason_not_to_send():
            batch, waiting = waiting[: pace.size], waiting[pace.size :]
            with pace.keep(len(batch)):
                mine, _others = self._lock_customers(batch)
                if going := run._drop_stopped(self._drop_ended(mine)):
                    self._take_at_once(run, going)
                shift.commit(len(mine), len(waiting))
            self.env.invalidate_all()

    # What both do

    @api.model
    def _get_pace(self, checkpoint):
        return Pace(get_worker_limit() * BATCH_SHARE if checkpoint else float("inf"), BATCH)

    @api.model
    def _get_customers(self, plans):
        """The plans by customer: one is dealt with as a whole."""
        return [same for _file_id, same in groupby(plans, lambda plan: plan.file_id)]

    @api.model
    def _lock_customers(self, customers):
        """Lock those that nobody else deals with now, until the batch is committed.

        :param customers: see ``_get_customers``
        :return: the plans that may be taken, and the customers that others deal with; whoever had
            a turn since it was planned is in neither
        """
        files = self.env["ar.credit.file"].browse(plans[0].file_id for plans in customers)
        turns = files._lock_turns()
        mine = [
            plan for plans in customers for plan in plans if turns.get(plan.file_id) == plan.turn
        ]
        return mine, [plans for plans in customers if plans[0].file_id not in turns]

    @api.model
    def _drop_ended(self, plans):
        """The plans without those whose case has ended or was paused since they were made."""
        cases = self.env["ar.collection.case"].browse(
            plan.case_id for plan in plans if plan.case_id
        )
        ended = set(cases.filtered(lambda case: case.state != "open").ids)
        return [plan for plan in plans if plan.case_id not in ended]

    @api.model
    def _take_at_once(self, run, plans):
        """Take the batch, all or nothing; return whether it was taken."""
        try:
            self._take(run, plans)
        except OperationalError:
            raise  # two transactions at odds: the scheduler tries the whole run again
        except Exception:
            _logger.info("Collection run %s: a batch failed", run.id)
            self.env.invalidate_all(flush=False)
            return False
        return True

    @api.model
    def _take(self, run, plans):
        with self.env.cr.savepoint():
            actions = self.env["ar.collection.action"]
            actions._take_steps(plans, run.company_id, run.date, run_id=run.id)
            self.env["ar.credit.file"].browse(plan.file_id for plan in plans)._count_turn()
            self.env.flush_all()
