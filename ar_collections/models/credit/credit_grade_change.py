from math import inf

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import formatLang

from .credit_authority import NeedsReview
from .credit_decision import ACTIONS, CONTROL_OF
from .credit_grade import RULE_FIELDS, TIERS
from .credit_limit import SALES_RULES

MANAGER = "ar_collections.group_credit_manager"
CONTROL_FIELDS = tuple(sorted(set(CONTROL_OF.values())))
# What of a grade decides how much credit its customers get.
RULES = (
    *RULE_FIELDS,
    *CONTROL_FIELDS,
    "overdue_tolerance_days",
    "overdue_tolerance_amount",
    "max_term_days",
    "hold_by_rule",
    "hold_days",
    "hold_amount",
    "risk_tier",
    "risk_from",
    "risk_limit_share",
    "review_months",
)
# What says which grade new customers get.
DEFAULT_FIELDS = {"is_default", "sequence", "company_id", "active"}
ASKED = (*RULES, "is_default")
# Zero is no cap.
CAPS = ("limit_cap", "equity_share", "cover_share", "review_months")
SHARES = ("equity_share", "cover_share", "risk_limit_share")


def find_loosened(former, rules):
    """Which rules of a grade give its customers more credit than before.

    A rule that says nothing, as an amount that the limit rule does not use, gives none.

    :param former: ``{name: value}`` of all ``RULES`` before, :param rules: the same now
    :return: list of names
    """

    def measure(values):
        """``{name: how much credit the rule gives}`` of what says something."""
        found = {name: -ACTIONS.index(values[name]) for name in CONTROL_FIELDS}
        found |= {name: values[name] or inf for name in CAPS}
        found["risk_tier"] = -TIERS.index(values["risk_tier"])
        found["risk_from"] = TIERS.index(values["risk_from"])
        found["hold_by_rule"] = -bool(values["hold_by_rule"])
        found["young_months"] = -values["young_months"]
        names = ["overdue_tolerance_days", "overdue_tolerance_amount", "max_term_days"]
        names.append("risk_limit_share")
        if values["hold_by_rule"]:
            names += ["hold_days", "hold_amount"]
        if values["young_months"]:
            names.append("young_limit")
        if values["limit_rule"] == "fixed":
            names.append("limit_amount")
        if values["limit_rule"] == "months":
            names.append("limit_months")
        if values["limit_rule"] not in SALES_RULES:
            del found["limit_cap"]
        return found | {name: values[name] for name in names}

    before, now = measure(former), measure(rules)
    loosened = [name for name in RULES if name in before and now.get(name, -inf) > before[name]]
    is_none = rules["limit_rule"] == "fixed" and not rules["limit_amount"]
    if former["limit_rule"] != rules["limit_rule"] and not is_none:
        # Nobody can say which of two rules gives more to whom.
        loosened.insert(0, "limit_rule")
    return loosened


class ArCreditGradeChange(models.Model):
    """More credit for all customers of a grade: one manager asks, another one approves."""

    _name = "ar.credit.grade.change"
    _inherit = [
        "ar.state.mixin",
        "ar.four.eyes.mixin",
        "ar.readonly.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _description = "Change of a Credit Grade"
    _order = "id desc"
    _rec_name = "grade_id"

    grade_id = fields.Many2one(
        "ar.credit.grade", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="grade_id.company_id", store=True, index=True)
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("submitted", "Submitted"),
            ("approved", "Approved"),
            ("refused", "Refused"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        index=True,
        tracking=True,
    )
    rules = fields.Json(
        "Changes", readonly=True, help="{field of the grade: [value so far, new value]}"
    )
    rules_text = fields.Text(string="Rules", compute="_compute_rules_text")
    file_count = fields.Integer(string="Customers of the Grade", compute="_compute_file_count")
    reason = fields.Text(help="Why the customers of the grade get more credit.")
    requester_id = fields.Many2one(
        "res.users", string="Requested By", readonly=True, default=lambda self: self.env.user
    )
    approver_id = fields.Many2one("res.users", string="Decided By", readonly=True)
    decision_date = fields.Date(string="Decided On", readonly=True)
    decision_note = fields.Text(string="Reason of the Decision", help="Needed to refuse.")

    @api.depends("rules")
    @api.depends_context("lang")
    def _compute_rules_text(self):
        for change in self:
            change.rules_text = "\n".join(
                self._describe_rule(name, *values) for name, values in (change.rules or {}).items()
            )

    def _compute_file_count(self):
        for change in self:
            change.file_count = (
                self.env["ar.credit.file"]
                .sudo()
                .search_count([("grade_id", "=", change.grade_id.id)])
            )

    @api.model
    def _describe_rule(self, name, former, value):
        field = self.env["ar.credit.grade"]._fields[name]

        def word(value):
            if field.type == "selection":
                return dict(field._description_selection(self.env)).get(value, "")
            if field.type == "boolean":
                return self.env._("yes") if value else self.env._("no")
            if name in SHARES:
                return f"{formatLang(self.env, 100 * value, digits=0)} %"
            return formatLang(self.env, value, digits=0 if value == int(value) else 2)

        return self.env._(
            "%(name)s: %(value)s instead of %(former)s",
            name=field._description_string(self.env),
            value=word(value),
            former=word(former),
        )

    def write(self, vals):
        if not self.env.su and any(change.state not in ("draft", "submitted") for change in self):
            raise UserError(self.env._("A change that was decided stays as it is."))
        return super().write(vals)

    # What one person does to a grade

    @api.model
    def _get_rules(self, grades, vals):
        """The rules of grades before a write, for :meth:`_check_rules` after it.

        :return: ``{grade: {name: value}}``, empty when the write changes none
        """
        if self.env.su or vals.keys().isdisjoint(RULES):
            return {}
        return {grade: {name: grade[name] for name in RULES} for grade in grades}

    @api.model
    def _check_rules(self, former_rules):
        """Refuse what gives customers more credit by one person's word.

        Less is decided alone, and so is what concerns nobody yet: a grade that no customer has,
        or companies that have not been started, which are being set up.

        :raises NeedsReview: with what was wanted, to ask for it
        """
        asked, texts = [], []
        for grade, former in former_rules.items():
            rules = {name: grade[name] for name in RULES}
            loosened = find_loosened(former, rules)
            if loosened and self._is_in_force(grade):
                changed = {name: rules[name] for name in RULES if rules[name] != former[name]}
                asked.append({"grade_id": grade.id, "rules": changed})
                changes = "; ".join(
                    self._describe_rule(name, former[name], rules[name]) for name in loosened
                )
                texts.append(f"{grade.display_name}: {changes}.")
        if asked:
            texts.append(
                self.env._(
                    "All customers of the grade get more credit by that: ask for it, and a second "
                    "credit manager approves it."
                )
            )
            raise NeedsReview(
                "\n".join(texts),
                self.env.ref("ar_collections.ar_credit_grade_change_action_ask").id,
                self.env._("Ask for Approval"),
                {"ar_rules": asked},
            )

    @api.model
    def _is_in_force(self, grade):
        """Whether a customer of a company that has been started has the grade, or gets it."""
        files = self.env["ar.credit.file"].sudo()
        groups = files._read_group([("grade_id", "=", grade.id)], ["company_id"])
        companies = self.env["res.company"].sudo().union(*(company for (company,) in groups))
        if grade.is_default:
            companies |= grade.sudo().company_id or companies.search([("parent_id", "=", False)])
        return any(company._ar_is_started() for company in companies)

    # The grade of new customers

    @api.model
    def _get_defaults(self, names):
        """The grade that new customers get, for :meth:`_check_defaults` after a write.

        :param names: of the fields that are written
        :return: ``{started company: grade}``, empty when the write changes none of them
        """
        if self.env.su or DEFAULT_FIELDS.isdisjoint(names):
            return {}
        companies = self.env["res.company"].sudo().search([("parent_id", "=", False)])
        return {
            company: self.env["ar.credit.grade"]._find_default(company.id)
            for company in companies
            if company._ar_is_started()
        }

    @api.model
    def _check_defaults(self, former_defaults):
        """Refuse that new customers get a grade with more credit by one person's word.

        :raises NeedsReview: with the grade that was wanted, to ask for it
        """
        for company, former in former_defaults.items():
            grade = former._find_default(company.id)
            if grade == former or not former or not grade:
                continue
            rules = [{name: each[name] for name in RULES} for each in (former, grade)]
            if loosened := find_loosened(*rules):
                raise NeedsReview(
                    self.env._(
                        "New customers would get more credit by grade %(grade)s than by %(former)s "
                        "(%(rules)s): ask for it, and a second credit manager approves it. A new "
                        "grade is created first, and made the one for new customers then.",
                        grade=grade.display_name,
                        former=former.display_name,
                        rules=", ".join(
                            grade._fields[name]._description_string(self.env) for name in loosened
                        ),
                    ),
                    self.env.ref("ar_collections.ar_credit_grade_change_action_ask").id,
                    self.env._("Ask for Approval"),
                    {"ar_rules": [{"grade_id": grade.id, "rules": {"is_default": True}}]},
                )

    @api.model
    def _ask_for_change(self):
        """Draft what the context says that was refused, and show it.

        A request may send any context: rules of grades alone are taken from it, as they are.
        """
        changes = self
        for asked in self.env.context.get("ar_rules") or ():
            grade = self.env["ar.credit.grade"].browse(asked["grade_id"]).exists()
            grade.check_access("write")
            wanted = grade.new(
                {name: asked["rules"][name] for name in ASKED if name in asked["rules"]},
                origin=grade,
            )
            rules = {
                name: [grade[name], wanted[name]] for name in ASKED if wanted[name] != grade[name]
            }
            changes |= self.sudo().create({"grade_id": grade.id, "rules": rules}).with_env(self.env)
        return changes._get_records_action()

    # The way of a change

    def action_submit(self):
        """Hand it over to the other credit managers."""
        self._check_manager()
        self._check_state("draft")
        for change in self:
            if not (change.reason or "").strip():
                raise UserError(
                    self.env._("Write down why the customers of the grade get more credit.")
                )
        # Whoever submits it has asked for it.
        self.sudo().write({"state": "submitted", "requester_id": self.env.uid})
        self._notify_managers()
        return True

    def action_approve(self):
        """Write the rules into the grade."""
        self._check_may_decide()
        for change in self.sudo():
            grade = change.grade_id
            for name, (former, _value) in change.rules.items():
                if grade[name] != former:
                    raise UserError(
                        self.env._(
                            "%s was changed meanwhile: refuse this, and have it asked for again.",
                            grade.display_name,
                        )
                    )
            grade.write({name: value for name, (_former, value) in change.rules.items()})
            if not grade.company_id:
                self.env["res.company"]._ar_fit_shared()
            change._write_decision("approved")
        return True

    def action_refuse(self):
        """Leave the grade as it is."""
        self._check_may_decide()
        for change in self.sudo():
            if not (change.decision_note or "").strip():
                raise UserError(self.env._("Write down why you refuse it."))
            change._write_decision("refused")
        return True

    def action_cancel(self):
        """Give it up."""
        self._check_manager()
        self._check_state("draft", "submitted")
        self.sudo().state = "cancelled"
        self.activity_unlink(["mail.mail_activity_data_todo"])
        return True

    def _check_manager(self):
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Credit grades are changed by a credit manager."))
        self.check_access("write")

    def _check_may_decide(self):
        self._check_manager()
        self.lock_for_update(allow_referencing=True)
        self._check_state("submitted")
        self._check_four_eyes()

    def _write_decision(self, state):
        company = self.company_id or self.env.company.root_id
        self.write(
            {
                "state": state,
                "approver_id": self.env.uid,
                "decision_date": company._ar_today(),
            }
        )
        self.activity_unlink(["mail.mail_activity_data_todo"])

    def _notify_managers(self):
        for change in self.sudo():
            company = change.company_id or self.env.company.root_id
            managers = self.env.ref(MANAGER).sudo().all_user_ids._ar_at_work(company, MANAGER)
            for manager in managers - change._get_askers():
                change.activity_schedule(
                    "mail.mail_activity_data_todo",
                    company._ar_today(),
                    summary=self.env._("Decide the change of a credit grade"),
                    user_id=manager.id,
                )
