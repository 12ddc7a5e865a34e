import logging

from psycopg2 import OperationalError

from odoo import api, models
from odoo.fields import Domain

from .run_pace import BATCH_SHARE, Pace, Shift, get_worker_limit

_logger = logging.getLogger(__name__)

# One call of the engine prints so many letters at most: it reads the heads of all for each page.
BATCH = 20
# So often a letter is begun: one that stops the engine and the worker every time is given up.
MOST_BEGUN = 3


class ArCollectionDispatch(models.AbstractModel):
    """Prints and sends the letters that were decided, outside the transaction that decided them.

    A batch is printed, sent and committed as one: a job that is stopped or killed has done a
    letter in full or not at all, and the next one goes on with what is left.
    """

    _name = "ar.collection.dispatch"
    _description = "Dispatch of Letters"

    @api.model
    def _start(self):
        """Have the job called as soon as a worker is free."""
        if self.env["ar.collection.action"].search_count(self._get_domain(), limit=1):
            self.env.ref("ar_collections.ir_cron_dispatch")._trigger()

    @api.model
    def _cron_dispatch(self):
        """Notice what failed, then send what waits, in batches that end by time."""
        shift = Shift(self.env["ir.cron"])
        is_unfinished = False
        for company in self.env["res.company"].search([("parent_id", "=", False)]):
            date = company._ar_today()
            here = self.with_company(company)
            try:
                here.env["ar.collection.failure"]._notice_failures(company, date)
                shift.commit(1, 1)
                here._dispatch(company, date, shift.commit)
            except Exception as error:
                # The scheduler would switch a job off that fails for a week.
                self.env.cr.rollback()
                _logger.exception("Letters of company %s go on later", company.id)
                is_unfinished |= isinstance(error, OperationalError)
            if not shift.seconds_left:
                is_unfinished = True
                break
        if is_unfinished:
            self._start()
        shift.commit(0, 0)

    @api.model
    def _get_domain(self):
        return Domain(self.env["ar.collection.action"]._get_queued_domain()) & (
            Domain("case_id", "=", False) | Domain("case_id.state", "=", "open")
        )

    @api.model
    def _dispatch(self, company, date, checkpoint=None):
        """Send what is queued in a company, with the amounts of now.

        :param date: the date on the letters
        :param checkpoint: see ``ar.collection.run``
        """
        company = company.root_id
        queued = self._get_queued(company, date)
        pace = Pace(get_worker_limit() * BATCH_SHARE if checkpoint else float("inf"), BATCH)
        runs = queued.run_id
        while queued:
            # What was begun before and stopped the worker is tried alone, after all others.
            size = 1 if queued[0].begun_count else pace.size
            batch, queued = queued[:size], queued[size:]
            with pace.keep(len(batch)):
                if checkpoint:
                    self._note_begun(batch, date)
                    checkpoint(0, len(batch) + len(queued))
                self._send_batch(batch, date)
                if not checkpoint:
                    self.env.flush_all()
                    left = True
                else:
                    left = checkpoint(len(batch), len(queued))
            self.env.invalidate_all()
            if not left:
                break
        for run in runs:
            run._count_results(0)

    @api.model
    def _get_queued(self, company, date):
        """The letters that may go out now; others wait as the steps of their cases do."""
        actions = self.env["ar.collection.action"]
        queued = actions.search(
            self._get_domain()
            & Domain("company_id", "=", company.id)
            & Domain("send_date", "<=", date),
            order="begun_count, id",
        )
        if not queued:
            return queued
        day = self.env["ar.collection.run"].new({"company_id": company.id, "date": date})
        if day._get_reason_not_to_send():
            return actions
        planner = self.env["ar.collection.planner"]
        waiting = planner._get_waiting_cases(company, date)
        waiting.update(planner._get_cases_elsewhere(company, date))
        return queued.filtered(lambda action: action.case_id.id not in waiting)

    @api.model
    def _note_begun(self, actions, date):
        """Remember what is begun, in case that the worker does not survive it."""
        for action in actions.try_lock_for_update():
            if action.begun_count >= MOST_BEGUN:
                action._fail(self.env._("Printing it stopped the system several times."), date)
            action.begun_count += 1

    @api.model
    def _send_batch(self, actions, date):
        """Send what nobody else sends now; when that fails, one by one, so that only the cause
        fails."""
        actions = actions.try_lock_for_update().filtered_domain(actions._get_queued_domain())
        actions -= self.env["ar.collection.sender"]._get_stopped(actions)
        try:
            with self.env.cr.savepoint():
                actions._send_queued(date)
                self.env.flush_all()
            return
        except OperationalError:
            raise
        except Exception:
            _logger.info("Letters %s failed together, going one by one", actions.ids)
            self.env.invalidate_all(flush=False)
        for action in actions:
            try:
                with self.env.cr.savepoint():
                    action._send_queued(date)
                    self.env.flush_all()
            except OperationalError:
                raise
            except Exception as error:
                _logger.exception("Letter %s failed", action.id)
                self.env.invalidate_all(flush=False)
                action._fail(str(error), date)
