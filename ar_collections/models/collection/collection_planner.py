from datetime import timedelta
from typing import NamedTuple

from odoo import api, models
from odoo.tools import SQL

from ..figures.item_shape import read_shape
from ..figures.settlement import money_sql
from .collection_cadence import Decision, Situation, begin_with_first, decide


class Plan(NamedTuple):
    """What a day brings for one customer: steps to take, or why they wait."""

    partner_id: int
    file_id: int
    # None for a courtesy message, which comes before there is a case.
    case_id: object
    policy_id: int
    amount: float
    days_overdue: int
    decision: Decision
    # What a courtesy message is about; with a case it is all that is overdue.
    line_ids: tuple = ()
    # What the case says so far: its next action date and what it waits for.
    noted: tuple = ()
    # The actions of the step that failed and are tried again, instead of new ones.
    again_ids: tuple = ()
    # How often steps had been taken of the customer when this was planned.
    turn: int = 0


class StepsByDay(dict):
    """``{(policy id, step day): ar.collection.step}``; a day on which the last steps are repeated
    has these steps."""

    def __missing__(self, key):
        return self[key[0], self.get_first_day(*key)]

    def get_first_day(self, policy_id, day):
        """The day on which the steps of a day are taken for the first time."""
        if (policy_id, day) in self:
            return day
        return max(each for policy, each in self if policy == policy_id and 0 < each < day)


class ArCollectionPlanner(models.AbstractModel):
    """Which steps are due on a day. It reads, decides and writes nothing.

    Why a step waits is a value of ``waiting_for`` of a case. What makes it wait is found by that
    name, see ``_get_cases_elsewhere``, ``_get_waiting_cases`` and ``_get_held_policies``.
    """

    _name = "ar.collection.planner"
    _description = "Collection Planner"

    @api.model
    def _plan_cases(self, company, date, cases=None):
        """One :class:`Plan` per open case, or per given case, the urgent ones first."""
        self.env["ar.collection.case"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
            SELECT kase.id, kase.partner_id, kase.file_id, kase.policy_id,
                   kase.demand_due_date, %s - kase.demand_due_date, kase.amount_demand,
                   file.last_contact_date,
                   CASE WHEN kase.ladder_due_date = kase.demand_due_date
                        THEN kase.ladder_days END, kase.ladder_days IS NULL,
                   COALESCE(file.turn_count, 0), kase.next_action_date, kase.waiting_for
              FROM ar_collection_case kase
              JOIN ar_credit_file file ON file.id = kase.file_id
             WHERE kase.company_id = %s AND kase.state = 'open' %s
             ORDER BY kase.priority DESC NULLS LAST, kase.id
            """,
                date,
                company.id,
                SQL() if cases is None else SQL("AND kase.id IN %s", tuple(cases.ids) or (0,)),
            )
        )
        policies = self._get_policy_values(company, date, {row[3] for row in rows if row[3]})
        elsewhere = self._get_cases_elsewhere(company, date)
        waiting = self._get_waiting_cases(company, date)
        claimed = self._get_claim_ends(company, date, [row[0] for row in rows if not row[4]])
        tries = self.env["ar.collection.failure"]._get_tries(company, date)
        by_age = company.ar_first_contact == "age"
        last_steps = self._get_last_steps([row[0] for row in rows if row[9] or not by_age])
        plans, situations, doubtful = [], {}, []
        for (
            case_id,
            partner_id,
            file_id,
            policy_id,
            due,
            days,
            amount,
            last,
            asked_day,
            is_new,
            turn,
            *noted,
        ) in rows:
            if case_id in elsewhere or not due or not policy_id:
                # Who collects for us writes to the customer, and we do not.
                wait = elsewhere.get(case_id) or ("no_step" if due else "claimed")
                waits = Decision(None, wait, None if due else claimed.get(case_id))
                plans.append(
                    Plan(partner_id, file_id, case_id, policy_id, 0, 0, waits, noted=tuple(noted))
                )
                continue
            policy = policies[policy_id]
            # A step that the amount does not reach is none.
            possible = {
                day: is_contact
                for day, (least, is_contact) in policy["steps"].items()
                if least <= amount
            }
            situation = Situation(
                date=date,
                due=due,
                days_overdue=days,
                step_days=tuple(possible or policy["steps"]),
                repeat_days=policy["repeat_days"],
                asked_at=asked_day or 0,
                amount=amount,
                min_amount=policy["min_amount"] if possible else float("inf"),
                last_contact=last,
                min_days_between=policy["min_days_between"],
                held_back=waiting.get(case_id) or policy["held_back"],
            )
            if failed := tries.get((case_id, due)):
                plans.append(
                    Plan(
                        partner_id,
                        file_id,
                        case_id,
                        policy_id,
                        amount,
                        days,
                        self._try_again(situation, failed),
                        noted=tuple(noted),
                        again_ids=failed.action_ids,
                        turn=turn,
                    )
                )
                continue
            last_step = last_steps.get(case_id)
            if is_new and not last_step:
                situation = self._begin_with_contact(situation, possible)
            climbing = situation
            if not by_age:
                climbing = self._climb(situation, case_id, last_step)
            decision = decide(climbing)
            plan = Plan(
                partner_id,
                file_id,
                case_id,
                policy_id,
                amount,
                days,
                decision,
                noted=tuple(noted),
                turn=turn,
            )
            if climbing is not situation:
                situation = climbing
            elif decision.step_day is not None or decision.wait not in (None, "no_step"):
                doubtful.append(len(plans))
            situations[len(plans)] = situation
            plans.append(plan)
        # The oldest item may have had the step in another's company: ask the actions.
        history = self._get_step_history(company, [plans[index].case_id for index in doubtful])
        for index in doubtful:
            taken, asked_at, last_age = history.get(plans[index].case_id, (frozenset(), 0, 0))
            situations[index] = situations[index]._replace(
                taken=taken,
                asked_at=max(asked_at, situations[index].asked_at),
                last_age=last_age,
            )
            plans[index] = plans[index]._replace(decision=decide(situations[index]))
        self._lower_unproven(plans, situations, date)
        return self._stop_plans(company, date, plans)

    @api.model
    def _try_again(self, situation, failed):
        """What failed is the only step until it gets through, on a day on which it may go out.

        :param failed: ``Try``
        """
        if not failed.date or failed.date > situation.date:
            return Decision(None, "undelivered", failed.date)
        return decide(
            situation._replace(
                step_days=(min(failed.step_day, situation.days_overdue),),
                repeat_days=0,
                asked_at=0,
                last_contact=None,
            )
        )

    @api.model
    def _begin_with_contact(self, situation, step_days):
        """A debt that is found late begins with a step that the customer hears of.

        :param step_days: ``{step day: whether it is a contact}``
        """
        reached = {day for day in step_days if day <= situation.days_overdue}
        if not any(step_days[day] for day in reached):
            return situation
        unheard = {day for day in reached if not step_days[day]}
        return situation._replace(step_days=tuple(step_days.keys() - unheard))

    @api.model
    def _climb(self, situation, case_id, last_step):
        """Everybody begins with the first step, where the company wants that of old debts.

        :param last_step: see ``_get_last_steps``
        """
        if not last_step:
            return begin_with_first(situation, 0, 0)
        step_case_id, step_day, taken_on, due = last_step
        age = (taken_on - due).days if due else 0
        lowered = any(step_day < day <= age for day in situation.step_days)
        if step_case_id != case_id or not lowered:
            return situation
        return begin_with_first(situation, step_day, (situation.date - taken_on).days)

    @api.model
    def _get_last_steps(self, case_ids):
        """The last step of the customer of each case, in this case or in a former one.

        :return: ``{case id: (case id of the step, step day, when, oldest due date)}``
        """
        self.env["ar.collection.action"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
            SELECT DISTINCT ON (kase.id)
                   kase.id, action.case_id, action.rung, action.date_planned, action.due_date
              FROM ar_collection_case kase
              JOIN ar_collection_action action ON action.partner_id = kase.partner_id
               AND action.company_id = kase.company_id
               AND action.step_id IS NOT NULL AND action.case_id IS NOT NULL
               AND action.state NOT IN ('cancelled', 'failed')
             WHERE kase.id IN %s
             ORDER BY kase.id, action.date_planned DESC, action.rung DESC, action.id DESC
            """,
                tuple(case_ids) or (0,),
            )
        )
        return {row[0]: row[1:] for row in rows}

    @api.model
    def _get_claim_ends(self, company, date, case_ids):
        """``{case id: the next day on which something agreed is due}``, of cases of which all is
        promised or disputed.

        A hook: who agrees something knows until when.
        """
        return {}

    @api.model
    def _lower_unproven(self, plans, situations, date):
        """Where the stage of a step may not be entered yet, take the highest step before it that
        may be taken: an old debt is never silent. Without one, the case waits for the proof.

        :param plans: changed in place
        :param situations: ``{position of the plan: Situation}``
        """
        waits = Decision(None, "proof", date + timedelta(days=1))
        due = [
            i
            for i, plan in enumerate(plans)
            if plan.decision.step_day is not None and not plan.again_ids
        ]
        policies = self.env["ar.collection.policy"].browse({plans[i].policy_id for i in due})
        steps = self._get_steps_by_day(policies)
        while due:
            unproven = self._get_unproven([plans[index] for index in due], steps, date)
            due = [index for index in due if plans[index].case_id in unproven]
            for index in due:
                plan = plans[index]
                top = steps.get_first_day(plan.policy_id, plan.decision.step_day)
                situations[index] = situations[index]._replace(
                    step_days=tuple(day for day in situations[index].step_days if day < top),
                    repeat_days=0,
                )
                decision = decide(situations[index])
                plans[index] = plan._replace(
                    decision=waits if decision.step_day is None else decision
                )
            due = [index for index in due if plans[index].decision.step_day is not None]

    @api.model
    def _get_unproven(self, plans, steps, date):
        """Ids of the cases that may not enter the stage of the step that is planned."""
        cases = self.env["ar.collection.case"].browse(plan.case_id for plan in plans)
        missing = cases._get_missing_proof(
            cases._get_stages_left(
                {
                    case: steps[plan.policy_id, plan.decision.step_day].stage_id
                    for case, plan in zip(cases, plans, strict=True)
                }
            ),
            date,
        )
        return {case.id for case in missing}

    @api.model
    def _get_step_history(self, company, case_ids):
        """Which step days the oldest item of each case was part of.

        :return: ``{case id: (step days, the last day that it has had, by its own age when the
            step was that of an older item, its age when it was asked for last)}``
        """
        self.env["ar.collection.action"].flush_model()
        self.env["ar.collection.action.item"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
            SELECT kase.id, ARRAY_AGG(DISTINCT action.rung),
                   MAX(CASE WHEN action.due_date = item.due_date
                            THEN LEAST(item.days_overdue, action.rung)
                            ELSE item.days_overdue END), MAX(item.days_overdue)
              FROM ar_collection_case kase
              JOIN ar_collection_action action ON action.partner_id = kase.partner_id
               AND action.company_id = kase.company_id
               AND action.step_id IS NOT NULL AND action.case_id IS NOT NULL
               AND action.state NOT IN ('cancelled', 'failed')
              JOIN ar_collection_action_item item ON item.action_id = action.id
               AND item.due_date = kase.demand_due_date
             WHERE kase.id IN %s
             GROUP BY kase.id
            """,
                tuple(case_ids) or (0,),
            )
        )
        return {
            case_id: (frozenset(days), asked_at, last_age)
            for case_id, days, asked_at, last_age in rows
        }

    @api.model
    def _plan_courtesy(self, company, date):
        """One :class:`Plan` per customer without overdue items whose items fall due soon."""
        policies = self.env["ar.collection.policy"].search(
            [("company_id", "in", (company.id, False)), ("step_ids.days", "<=", 0)]
        )
        step_days = sorted({step.days for step in policies.step_ids if step.days <= 0})
        if not step_days:
            return []
        self.env["ar.collection.action"].flush_model()
        self.env["ar.collection.action.item"].flush_model()
        # Most items have had their message: leave them out before anything is made of them.
        rows = self.env.execute_query(
            SQL(
                """
            WITH item AS MATERIALIZED (
                SELECT root_id, partner_id, line_id, due, demand
                  FROM (%(items)s) item
                 WHERE demand > 0 AND due >= %(date)s AND due <= %(date)s - (%(first)s)
            ), asked AS MATERIALIZED (
                SELECT part.move_line_id, MAX(action.rung) AS rung
                  FROM ar_collection_action_item part
                  JOIN ar_collection_action action ON action.id = part.action_id
                 WHERE part.move_line_id IN (SELECT line_id FROM item)
                   AND action.case_id IS NULL AND action.step_id IS NOT NULL
                   AND action.state <> 'cancelled'
                 GROUP BY part.move_line_id
            )
            SELECT file.id, file.partner_id, file.last_contact_date,
                   COALESCE(file.turn_count, 0), ARRAY_AGG(item.line_id),
                   ARRAY_AGG(%(date)s::date - item.due), ARRAY_AGG(item.demand)::float8[]
              FROM item
              JOIN ar_credit_file file ON file.company_id = item.root_id
               AND file.partner_id = item.partner_id
              LEFT JOIN asked ON asked.move_line_id = item.line_id
             WHERE COALESCE(file.followup_amount, 0) = 0
               AND (asked.rung IS NULL OR asked.rung < (
                SELECT MAX(step_day) FROM UNNEST(%(step_days)s) step_day
                 WHERE step_day <= %(date)s::date - item.due))
             GROUP BY file.id
             ORDER BY file.id
            """,
                date=date,
                first=step_days[0],
                step_days=step_days,
                items=self.env["ar.position"]._claimed_items_sql(
                    company,
                    date,
                    current=True,
                    ageing=False,
                    shape=read_shape(self.env),
                ),
            )
        )
        asked = self._get_days_asked_before_due([line_id for row in rows for line_id in row[4]])
        files = self.env["ar.credit.file"].browse(row[0] for row in rows)
        matched = self.env["ar.collection.policy"]._get_matching_policies(files)
        values = self._get_policy_values(company, date, set(policies.ids))
        plans = []
        for file, row in zip(files, rows, strict=True):
            file_id, partner_id, last_contact, turn = row[:4]
            policy = values.get(matched[file].id)
            new = policy and self._get_items_not_asked_yet(row[4:], policy["courtesy"], asked)
            if not new:
                continue
            step_day = max(day for day, _residual in new.values())
            amount = sum(residual for _day, residual in new.values())
            wait = self._get_courtesy_wait(policy, amount, last_contact, date)
            plans.append(
                Plan(
                    partner_id,
                    file_id,
                    None,
                    matched[file].id,
                    amount,
                    0,
                    Decision(None if wait else step_day, wait, None),
                    tuple(new),
                    turn=turn,
                )
            )
        plans += self._plan_courtesy_again(company, date, values)
        return self._stop_plans(company, date, plans)

    @api.model
    def _plan_courtesy_again(self, company, date, policies):
        """One :class:`Plan` per courtesy message that failed and may be tried again.

        :param policies: see ``_get_policy_values``
        """
        plans, files = [], self.env["ar.credit.file"]
        for action in self.env["ar.collection.failure"]._get_courtesy_tries(company, date):
            file = files._get_file(action.partner_id, company)
            policy = policies.get(action.step_id.policy_id.id)
            if not policy or policy["held_back"] or file.followup_amount:
                continue
            plans.append(
                Plan(
                    action.partner_id.id,
                    file.id,
                    None,
                    action.step_id.policy_id.id,
                    action.amount,
                    0,
                    Decision(action.rung, None, None),
                    tuple(action.item_ids.move_line_id.ids),
                    again_ids=tuple(action.ids),
                    turn=file.turn_count,
                )
            )
        return plans

    @api.model
    def _get_items_not_asked_yet(self, items, step_days, asked):
        """``{line id: (step day, residual)}`` of items that have not had the day they reached.

        :param items: line ids, ages in days and residuals, as three lists
        :param asked: ``{line id: last step day it was part of}``
        """
        new = {}
        for line_id, age, residual in zip(*items, strict=True):
            day = max((day for day in step_days if day <= age), default=None)
            if day is not None and day > asked.get(line_id, day - 1):
                new[line_id] = (day, residual)
        return new

    @api.model
    def _get_courtesy_wait(self, policy, amount, last_contact, date):
        if amount < policy["min_amount"]:
            return "below_minimum"
        if last_contact and (date - last_contact).days < policy["min_days_between"]:
            return "contact_cap"
        return policy["held_back"]

    @api.model
    def _get_days_asked_before_due(self, line_ids):
        """``{move line id: last step day of the courtesy messages it was part of}``"""
        return dict(
            self.env.execute_query(
                SQL(
                    """
            SELECT item.move_line_id, MAX(action.rung)
              FROM ar_collection_action_item item
              JOIN ar_collection_action action ON action.id = item.action_id
             WHERE item.move_line_id IN %s AND action.case_id IS NULL
               AND action.step_id IS NOT NULL AND action.state <> 'cancelled'
             GROUP BY item.move_line_id
            """,
                    tuple(line_ids) or (0,),
                )
            )
        )

    @api.model
    def _get_policy_values(self, company, date, policy_ids):
        """What the decision needs of each policy, read once a day and not once a case.

        ``steps`` is ``{step day: (least amount of its steps, whether one is a contact)}``.
        """
        policies = self.env["ar.collection.policy"].browse(policy_ids)
        contacts = set(self.env["ar.collection.channel"]._get_contact_channels())
        held = self._get_held_policies(company, date, policies)
        return {
            policy.id: {
                "steps": {
                    day: (
                        min(step._get_min_amount(company) for step in steps),
                        not contacts.isdisjoint(steps.mapped("channel")),
                    )
                    for day, steps in policy.step_ids.grouped("days").items()
                    if day > 0
                },
                "courtesy": tuple({step.days for step in policy.step_ids if step.days <= 0}),
                "repeat_days": policy.repeat_days,
                "min_amount": policy._get_min_amount(company),
                "min_days_between": policy.min_days_between,
                "held_back": held.get(policy),
            }
            for policy in policies
        }

    @api.model
    def _get_plan_steps(self, plan, steps):
        """The steps that a plan takes, or takes again.

        :param steps: :class:`StepsByDay`
        """
        taken = self.env["ar.collection.step"]
        if plan.decision.step_day is None:
            return taken
        if plan.again_ids:
            return self.env["ar.collection.action"].browse(plan.again_ids).step_id
        return steps[plan.policy_id, plan.decision.step_day]

    @api.model
    def _stop_plans(self, company, date, plans):
        """What would go out by a policy or channel that somebody has stopped waits instead."""
        due = [plan for plan in plans if plan.decision.step_day is not None]
        policies = self.env["ar.collection.policy"].browse({plan.policy_id for plan in due})
        channels = company._ar_get_stopped_channels()
        stopped = policies.filtered("stopped")
        if not channels and not stopped:
            return plans
        steps = self._get_steps_by_day(policies)
        waits = Decision(None, "stopped", date + timedelta(days=1))

        def is_stopped(plan):
            if plan.decision.step_day is None:
                return False
            taken = self._get_plan_steps(plan, steps)
            return plan.policy_id in stopped.ids or not channels.isdisjoint(taken.mapped("channel"))

        return [plan._replace(decision=waits) if is_stopped(plan) else plan for plan in plans]

    # Why steps wait, by name

    @api.model
    def _ask_by_reason(self, prefix, *args):
        """Ask each reason that has such a method; the first one in the selection counts.

        :return: ``{what waits: reason}``
        """
        found = {}
        for reason in self.env["ar.collection.case"]._fields["waiting_for"].get_values(self.env):
            if method := getattr(self, f"{prefix}_{reason}", None):
                found = dict.fromkeys(method(*args), reason) | found
        return found

    @api.model
    def _get_cases_elsewhere(self, company, date):
        """``{case id: reason}`` of cases that others chase, by ``_elsewhere_<reason>``.

        Such a method gets company and date and returns the ids of the cases.
        """
        return self._ask_by_reason("_elsewhere", company, date)

    @api.model
    def _get_waiting_cases(self, company, date):
        """``{case id: reason}`` of cases that get no step today, by ``_wait_<reason>``.

        Such a method gets company and date and returns the ids of the cases.
        """
        return self._ask_by_reason("_wait", company, date)

    @api.model
    def _get_held_policies(self, company, date, policies):
        """``{policy: reason}`` of policies that do nothing on this day, by ``_hold_<reason>``.

        Such a method gets company, date and policies and returns those that it holds back.
        """
        return self._ask_by_reason("_hold", company, date, policies)

    @api.model
    def _hold_rest_day(self, company, date, policies):
        careful = policies.filtered("skip_rest_days")
        return careful if careful and not company._ar_is_working_day(date) else []

    @api.model
    def _hold_stale_bank(self, company, date, policies):
        careful = policies.filtered("max_bank_age")
        bank_age = self._get_bank_age(company, date) if careful else 0
        return careful.filtered(lambda policy: bank_age > policy.max_bank_age)

    @api.model
    def _get_bank_age(self, company, date):
        """Days since the company's last posted bank entry, 0 when it never had one."""
        self.env["account.move"].flush_model(["date", "state", "journal_id"])
        ((last,),) = self.env.execute_query(
            SQL(
                """
            SELECT MAX(move.date) FROM account_move move
              JOIN account_journal journal ON journal.id = move.journal_id
              JOIN res_company company ON company.id = move.company_id
             WHERE %s AND move.state = 'posted'
               AND move.date <= %s AND SPLIT_PART(company.parent_path, '/', 1) = %s
            """,
                money_sql(),
                date,
                str(company.id),
            )
        )
        return (date - last).days if last else 0

    @api.model
    def _get_steps_by_day(self, policies):
        """See :class:`StepsByDay`."""
        return StepsByDay(
            ((policy.id, day), steps)
            for policy in policies
            for day, steps in policy.step_ids.grouped("days").items()
        )
