"""What must be true at the end of every replayed day, judged by the books of the ledger alone."""

from collections import defaultdict
from decimal import Decimal

#: contacts by which a customer is asked for money
CONTACTS = {"email", "sms", "letter", "call", "visit"}
#: so many texts are kept; the rest is counted
TEXTS_KEPT = 500
SATURDAY = 5


class Checks:
    """Compares the state of the addon with the ledger and collects the differences.

    :ivar violations: list of texts, empty as long as everything held
    :param book: the oracle
    :param partners: ``{customer of the ledger: partner id}``
    :param lines: ``{receivable line id: item of the book}``, filled as documents are posted
    """

    def __init__(self, book, partners, lines):
        self.book = book
        self.customers = {partner_id: customer for customer, partner_id in partners.items()}
        self.lines = lines
        self.violations = []
        self.left_out = 0
        # {(line id, step id): (day, action id)}
        self._asked = {}
        # {(customer, due date): [(step day, days overdue when asked, action id)]}
        self._days_asked = defaultdict(list)
        # {customer: day of the last contact}
        self._last_contact = {}
        # Work for a person that a payment made needless: it never took place.
        self._cancelled = set()

    def add(self, day, text):
        if len(self.violations) < TEXTS_KEPT:
            self.violations.append(f"{day}: {text}")
        else:
            self.left_out += 1

    def finish(self):
        if self.left_out:
            self.violations.append(f"and {self.left_out} more")

    # Figures

    def figures(self, env, company, day, as_of=None):
        """The position of every customer on a day; ``as_of`` names the later day of asking."""
        position = env["ar.position"]._figures(company, day)
        expected = self.book.get_balances(day)
        label = f"as of {day}: " if as_of else ""
        booked = self._get_booked(env, company, day)
        for (_company_id, partner_id), figures in position.items():
            customer = self.customers.get(partner_id, f"partner {partner_id}")
            if _cents(figures.open_amount) != booked.pop(partner_id, 0):
                self.add(as_of or day, f"{label}{customer}: {figures} is not what is booked")
            balance = expected.pop(customer, None)
            if balance is None:
                self.add(as_of or day, f"{label}{customer} owes nothing, figures say {figures}")
                continue
            got = (
                *map(_cents, (figures.open_amount, figures.not_due, figures.overdue_amount)),
                figures.overdue_count,
                figures.oldest_due,
                *map(_cents, (figures.unallocated, figures.disputed, figures.followup_amount)),
                figures.followup_due,
                _cents(figures.demand_amount),
                figures.demand_due,
            )
            want = tuple(
                _cents(value) if isinstance(value, Decimal) else value for value in balance
            )
            if got != want:
                self.add(as_of or day, f"{label}{customer} has {want}, figures say {got}")
            if sum(map(_cents, figures.buckets)) != want[1] + want[2]:
                self.add(as_of or day, f"{label}{customer}: buckets do not add up: {figures}")
        for customer in expected:
            self.add(as_of or day, f"{label}{customer} is missing in the figures")
        for partner_id in (id_ for id_, cents in booked.items() if cents):
            self.add(as_of or day, f"{label}partner {partner_id} is missing in the figures")

    @staticmethod
    def _get_booked(env, company, day):
        """``{partner id: cents}`` on the receivable accounts."""
        return {
            partner.id: _cents(balance)
            for partner, balance in env["account.move.line"]._read_group(
                [
                    ("company_id", "child_of", company.id),
                    ("account_type", "=", "asset_receivable"),
                    ("parent_state", "=", "posted"),
                    ("date", "<=", day),
                ],
                ["partner_id"],
                ["balance:sum"],
            )
        }

    def demands(self, env, company, day):
        """Who is asked for how much: nobody who owes nothing, and nothing before it is due."""
        opened = self.book.get_open(day)
        balances = self.book.get_balances(day)
        for (_company_id, partner_id), demand in (
            env["ar.position"]._net_demand(company, day).items()
        ):
            customer = self.customers.get(partner_id, f"partner {partner_id}")
            balance = balances.get(customer)
            if balance is None or balance.open_amount <= 0:
                if demand.amount:
                    self.add(day, f"{customer} owes nothing and is asked for {demand.amount}")
                continue
            got = (_cents(demand.amount), _cents(demand.credits), demand.oldest_due)
            credits_ = sum(each.residual for each in opened[customer] if each.is_credit)
            want = (_cents(balance.demand_amount), min(_cents(credits_), 0), balance.demand_due)
            if got != want:
                self.add(day, f"the demand of {customer} should be {want}, is {got}")
            items = {self._get_item(line_id): amount for line_id, amount in demand.items}
            for item in items:
                if item is None or item.due >= day:
                    self.add(day, f"{customer} is asked for {item}, which is not due")

    def _get_item(self, line_id):
        return self.lines.get(line_id)

    # Cases

    def cases(self, env, company, day):
        """One open case for everybody with overdue money, with that amount, and no other."""
        rows = env["ar.collection.case"].search_read(
            [("company_id", "=", company.id), ("state", "!=", "closed")],
            [
                "partner_id",
                "amount_overdue",
                "oldest_due_date",
                "days_overdue",
                "amount_disputed",
                "amount_demand",
                "demand_due_date",
            ],
            load=None,
        )
        overdue = {
            customer: balance
            for customer, balance in self.book.get_balances(day).items()
            if balance.followup_amount > 0
        }
        seen = set()
        for row in rows:
            customer = self.customers[row["partner_id"]]
            if customer in seen:
                self.add(day, f"{customer} has two open cases")
            seen.add(customer)
            balance = overdue.get(customer)
            if balance is None:
                self.add(day, f"{customer} has an open case and nothing overdue")
                continue
            got = (
                _cents(row["amount_overdue"]),
                row["oldest_due_date"],
                row["days_overdue"],
                _cents(row["amount_disputed"]),
                _cents(row["amount_demand"]),
                row["demand_due_date"] or None,
            )
            want = (
                _cents(balance.followup_amount),
                balance.followup_due,
                (day - balance.followup_due).days,
                _cents(balance.disputed),
                _cents(balance.demand_amount),
                balance.demand_due,
            )
            if got != want:
                self.add(day, f"case of {customer} should have {want}, has {got}")
        for customer in overdue.keys() - seen:
            self.add(day, f"{customer} has something overdue and no open case")
        return len(rows)

    def stale_cases(self, env, company, day):
        """Before the run, cases follow payments at once: none may ask for paid invoices."""
        balances = self.book.get_balances(day)
        rows = env["ar.collection.case"].search_read(
            [("company_id", "=", company.id), ("state", "!=", "closed")],
            ["partner_id", "amount_overdue"],
            load=None,
        )
        for row in rows:
            customer = self.customers[row["partner_id"]]
            balance = balances.get(customer)
            most = _cents(balance.followup_amount) if balance else 0
            if _cents(row["amount_overdue"]) > most:
                self.add(day, f"case of {customer} did not follow a payment: more than {most}")

    # Disputes

    def disputes(self, env, company, day):
        """The disputes of the file are open from their day to the settlement, all in time."""
        lines = env["ar.dispute.line"].search_read(
            [("company_id", "=", company.id)],
            ["move_line_id", "amount", "state", "in_window"],
            load=None,
        )
        expected = {
            line_id
            for line_id, item in self.lines.items()
            if item.dispute and item.get_residual()[0]
        }
        for line in lines:
            item = self.lines[line["move_line_id"]]
            if not line["in_window"] or _cents(line["amount"]) != _cents(item.dispute[1]):
                self.add(day, f"the dispute of {item.number} is late or of {line['amount']}")
            if line["state"] == "open" and line["move_line_id"] not in expected:
                self.add(day, f"{item.number} is paid and still in dispute")
        opened = {line["move_line_id"] for line in lines if line["state"] == "open"}
        for line_id in expected - opened:
            self.add(day, f"{self.lines[line_id].number} should be in dispute")

    # Actions

    def actions(self, env, day, run):
        """The contacts of the day: to whom, for what, how often."""
        if run.log:
            self.add(day, f"the run reports: {run.log}")
        if run.state != "done":
            self.add(day, f"the run ended {run.state}")
        actions = env["ar.collection.action"].search([("run_id", "=", run.id)])
        cancelled = env["ar.collection.action"]._search([("state", "=", "cancelled")])
        self._cancelled = set(cancelled)
        if actions and day.weekday() >= SATURDAY:
            self.add(day, f"{len(actions)} steps on a day of rest")
        demanded = self._get_demanded(day)
        for action in actions:
            customer = self.customers[action.partner_id.id]
            self._action(action, customer, day, demanded.get(customer, {}))
        self._cap(actions, day)

    def _action(self, action, customer, day, demanded):
        step, name = action.step_id, f"{action.step_id.name} to {action.partner_id.name}"
        if action.state not in ("done", "planned"):
            self.add(day, f"{name} is {action.state}: {action.failure_reason}")
        if action.date_planned != day:
            self.add(day, f"{name} is planned for {action.date_planned}")
        asked = set()
        for part in action.item_ids:
            item = self._get_item(part.move_line_id.id)
            if item not in demanded:
                self.add(day, f"{name} asks for {part.name}, for which nothing is to be asked")
                continue
            asked.add(item)
            opened = demanded[item]
            got = (_cents(part.residual), part.days_overdue, part.due_date)
            want = (_cents(opened.demand), opened.get_days_overdue(day), item.due)
            if got != want:
                self.add(day, f"{name}: {item.number} is {want}, frozen as {got}")
            self._once(part.move_line_id.id, action, name, day)
            if step.days > 0:
                step_day = (step.days, part.days_overdue, action.id)
                self._days_asked[customer, item.due].append(step_day)
        wrong, forgotten = _compare(asked, demanded, step, day)
        for item in wrong:
            self.add(day, f"{name} asks for {item.number}, for which it is too early or too late")
        for item in forgotten:
            if step.days > 0 or not self._courtesy_before(item, step, day):
                self.add(day, f"{name} forgets {item.number}")
        if _cents(action.amount) != sum(_cents(demanded[item].demand) for item in asked):
            self.add(day, f"{name} asks for {action.amount}, not for the sum of its items")
        self._credits(action, name, customer, day)

    def _credits(self, action, name, customer, day):
        """Who is asked is told of every open credit."""
        named = {
            self._get_item(credit.move_line_id.id): _cents(credit.residual)
            for credit in action.credit_ids
        }
        open_credits = {
            opened.item: _cents(opened.residual)
            for opened in self.book.get_open(day).get(customer, ())
            if opened.is_credit
        }
        if named != open_credits:
            self.add(
                day,
                f"{name} names credits of {sum(named.values())}, open are "
                f"{sum(open_credits.values())}",
            )

    def _get_demanded(self, day):
        """``{customer: {item: what is open of it}}`` of what may be asked for, due or not."""
        return {
            customer: {each.item: each for each in opened if each.demand > 0}
            for customer, opened in self.book.get_open(day).items()
        }

    def _once(self, line_id, action, name, day):
        """An item gets no step twice, but the last one every so many days."""
        key, policy = (line_id, action.step_id.id), action.step_id.policy_id
        before, former_id = self._asked.get(key, (None, None))
        is_again = (
            before
            and policy.repeat_days
            and (day - before).days >= policy.repeat_days
            and action.step_id.days == max(policy.step_ids.mapped("days"))
        )
        if before and before != day and former_id not in self._cancelled and not is_again:
            self.add(day, f"{name}: {self.lines[line_id].number} had this step on {before}")
        self._asked[key] = day, action.id

    def _courtesy_before(self, item, step, day):
        """A courtesy message may leave out an invoice that already had one."""
        return any(
            self.lines[line_id] is item and step_id == step.id and before < day
            for (line_id, step_id), (before, _action_id) in self._asked.items()
        )

    def _cap(self, actions, day):
        """No customer is contacted again too soon, whatever the case; a courtesy counts too."""
        for partner, same in actions.grouped("partner_id").items():
            contacts = same.filtered(
                lambda action: action.state == "done" and action.channel in CONTACTS
            )
            if not contacts:
                continue
            customer = self.customers[partner.id]
            pause = max(contacts.step_id.policy_id.mapped("min_days_between"))
            if self._capped(customer, day, pause):
                last = self._last_contact[customer]
                self.add(day, f"{customer} was contacted on {last}, less than {pause} days ago")
            self._last_contact[customer] = day

    def _capped(self, customer, day, pause):
        last = self._last_contact.get(customer)
        return last is not None and (day - last).days < pause

    def nobody_forgotten(self, env, company, day):
        """Whoever has reached a step day was asked for it, unless the contact cap still protects.

        Only working days are judged: on other days everybody waits.
        """
        if day.weekday() >= SATURDAY:
            return
        cases = env["ar.collection.case"].search(
            [("company_id", "=", company.id), ("state", "=", "open")]
        )
        demanded = self._get_demanded(day)
        for case in cases:
            customer = self.customers[case.partner_id.id]
            overdue = [each for item, each in demanded.get(customer, {}).items() if item.due < day]
            policy = case.policy_id
            if not overdue or sum(each.demand for each in overdue) < policy.min_amount:
                continue
            oldest = min(each.due for each in overdue)
            days = (day - oldest).days
            reached = [step.days for step in policy.step_ids if 0 < step.days <= days]
            # Items of one due date climb together, also one that is gone.
            climbed = [
                step_day
                for step_day in self._days_asked[customer, oldest]
                if step_day[2] not in self._cancelled
            ]
            top = max(reached, default=0)
            had = any(days == top or asked_at >= top for days, asked_at, _action_id in climbed)
            capped = self._capped(customer, day, policy.min_days_between)
            if top and not had and not capped:
                self.add(day, f"{customer} is {days} days late and had no step for day {top}")

    # Repeating

    def nothing_happens(self, env, day, repeat, what):
        """Doing something again must leave no trace."""
        before = _footprint(env)
        repeat()
        env.flush_all()
        after = _footprint(env)
        if before != after:
            self.add(day, f"{what} did something: {before} became {after}")


def _compare(asked, demanded, step, day):
    """Items that a step asks for wrongly, and those that it should have asked for as well."""
    if step.days > 0:
        due = {item for item in demanded if item.due < day}
    else:
        due = {item for item in demanded if 0 <= (item.due - day).days <= -step.days}
    return sorted(asked - due, key=_get_position), sorted(due - asked, key=_get_position)


def _get_position(item):
    return item.position


def _footprint(env):
    """Counts of everything a run makes."""
    return {
        model: env[model].search_count([])
        for model in (
            "ar.collection.run",
            "ar.collection.case",
            "ar.collection.action",
            "ar.collection.action.item",
            "mail.mail",
            "mail.message",
            "mail.activity",
            "sms.sms",
        )
    }


def _cents(amount):
    return round(amount * 100)
