"""What must be true at the end of every replayed day, judged by the ledger file alone."""

from collections import defaultdict

#: contacts by which a customer is asked for money
CONTACTS = {"email", "sms", "letter", "call", "visit"}
#: so many texts are kept; the rest is counted
TEXTS_KEPT = 500
SATURDAY = 5


class Checks:
    """Compares the state of the addon with the ledger and collects the differences.

    :ivar violations: list of texts, empty as long as everything held
    :param ledger: the oracle
    :param partners: ``{customer of the ledger: partner id}``
    :param lines: ``{receivable line id: Invoice}``, filled as invoices are posted
    """

    def __init__(self, ledger, partners, lines):
        self.ledger = ledger
        self.customers = {partner_id: customer for customer, partner_id in partners.items()}
        self.lines = lines
        self.violations = []
        self.left_out = 0
        # {(line id, step id): (day, action id)}
        self._asked = {}
        # {line id: [(step day, days overdue when asked, action id)]}
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
        expected = self.ledger.balances(day)
        label = f"as of {day}: " if as_of else ""
        for (_company_id, partner_id), figures in position.items():
            customer = self.customers.get(partner_id, f"partner {partner_id}")
            balance = expected.pop(customer, None)
            if balance is None:
                self.add(as_of or day, f"{label}{customer} owes nothing, figures say {figures}")
                continue
            got = (
                _cents(figures.open_amount),
                _cents(figures.not_due),
                _cents(figures.overdue_amount),
                figures.overdue_count,
                figures.oldest_due,
                _cents(figures.disputed),
                _cents(figures.demand_amount),
                figures.demand_due,
            )
            want = (
                _cents(balance.open_amount),
                _cents(balance.not_due),
                _cents(balance.overdue_amount),
                balance.overdue_count,
                balance.oldest_due,
                _cents(balance.disputed),
                _cents(balance.demand_amount),
                balance.demand_due,
            )
            if got != want:
                self.add(as_of or day, f"{label}{customer} has {want}, figures say {got}")
            if _cents(sum(figures.buckets)) != want[0] or _cents(figures.unallocated):
                self.add(as_of or day, f"{label}{customer}: buckets do not add up: {figures}")
        for customer in expected:
            self.add(as_of or day, f"{label}{customer} is missing in the figures")

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
            for customer, balance in self.ledger.balances(day).items()
            if balance.overdue_count
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
                _cents(balance.overdue_amount),
                balance.oldest_due,
                (day - balance.oldest_due).days,
                _cents(balance.disputed),
                _cents(balance.demand_amount),
                balance.demand_due,
            )
            if got != want:
                self.add(day, f"case of {customer} should have {want}, has {got}")
        for customer in overdue.keys() - seen:
            self.add(day, f"{customer} has overdue invoices and no open case")
        return len(rows)

    def stale_cases(self, env, company, day):
        """Before the run, cases follow payments at once: none may ask for paid invoices."""
        balances = self.ledger.balances(day)
        rows = env["ar.collection.case"].search_read(
            [("company_id", "=", company.id), ("state", "!=", "closed")],
            ["partner_id", "amount_overdue"],
            load=None,
        )
        for row in rows:
            customer = self.customers[row["partner_id"]]
            balance = balances.get(customer)
            most = _cents(balance.overdue_amount) if balance else 0
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
            line_id for line_id, invoice in self.lines.items() if invoice.is_in_dispute(day)
        }
        for line in lines:
            invoice = self.lines[line["move_line_id"]]
            if not line["in_window"] or _cents(line["amount"]) != _cents(invoice.amount):
                self.add(day, f"the dispute of {invoice.number} is late or of {line['amount']}")
            if line["state"] == "open" and line["move_line_id"] not in expected:
                self.add(day, f"{invoice.number} is paid and still in dispute")
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
        items = self._demanded(day)
        for action in actions:
            customer = self.customers[action.partner_id.id]
            self._action(action, customer, day, items.get(customer, ()))
        self._cap(actions, day)

    def _action(self, action, customer, day, open_items):
        step, name = action.step_id, f"{action.step_id.name} to {action.partner_id.name}"
        if action.state not in ("done", "planned"):
            self.add(day, f"{name} is {action.state}: {action.failure_reason}")
        if action.date_planned != day:
            self.add(day, f"{name} is planned for {action.date_planned}")
        asked = {}
        for item in action.item_ids:
            invoice = self.lines.get(item.move_line_id.id)
            if invoice is None or not invoice.is_open(day) or invoice.customer != customer:
                self.add(day, f"{name} asks for {item.name}, which is not open")
                continue
            if invoice.is_in_dispute(day):
                self.add(day, f"{name} asks for {invoice.number}, which is in dispute")
            asked[invoice.number] = invoice
            got = (_cents(item.residual), item.days_overdue, item.due_date)
            want = (_cents(invoice.amount), invoice.days_overdue(day), invoice.due)
            if got != want:
                self.add(day, f"{name}: {invoice.number} is {want}, frozen as {got}")
            self._once(item.move_line_id.id, action, name, day)
            if step.days > 0:
                step_day = (step.days, item.days_overdue, action.id)
                self._days_asked[item.move_line_id.id].append(step_day)
        wrong, forgotten = _compare(asked, open_items, step, day)
        for number in wrong:
            self.add(day, f"{name} asks for {number}, for which it is too early or too late")
        for number in forgotten:
            if step.days > 0 or not self._courtesy_before(number, step, day):
                self.add(day, f"{name} forgets {number}")
        if _cents(action.amount) != sum(_cents(invoice.amount) for invoice in asked.values()):
            self.add(day, f"{name} asks for {action.amount}, not for the sum of its items")

    def _demanded(self, day):
        """``{customer: its open invoices that are not in dispute}``"""
        return {
            customer: [invoice for invoice in invoices if not invoice.is_in_dispute(day)]
            for customer, invoices in self.ledger.open_items(day).items()
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

    def _courtesy_before(self, number, step, day):
        """A courtesy message may leave out an invoice that already had one."""
        return any(
            self.lines[line_id].number == number and step_id == step.id and before < day
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
        open_items = self._demanded(day)
        numbers = {invoice.number: line_id for line_id, invoice in self.lines.items()}
        for case in cases:
            customer = self.customers[case.partner_id.id]
            invoices = [item for item in open_items.get(customer, ()) if item.due < day]
            if not invoices:
                continue
            oldest = min(invoices, key=lambda invoice: invoice.due)
            days = oldest.days_overdue(day)
            policy = case.policy_id
            reached = [step.days for step in policy.step_ids if 0 < step.days <= days]
            # Invoices of one due date climb together, so that one of them is enough.
            climbed = [
                step_day
                for invoice in invoices
                if invoice.due == oldest.due
                for step_day in self._days_asked[numbers[invoice.number]]
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


def _compare(asked, open_items, step, day):
    """Numbers that a step asks for wrongly, and those that it should have asked for as well."""
    if step.days > 0:
        due = {invoice.number for invoice in open_items if invoice.due < day}
    else:
        due = {
            invoice.number
            for invoice in open_items
            if 0 <= (invoice.due - day).days <= -step.days
        }  # fmt: skip
    return sorted(asked.keys() - due), sorted(due - asked.keys())


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
