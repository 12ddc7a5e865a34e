from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount, format_date

from .credit_limit import LIMIT_FIELDS, LimitTerms, find_raise, get_increase

# Collectors keep the contacts of a file; what it allows is the credit manager's.
MANAGER_FIELDS = (
    *LIMIT_FIELDS,
    "limit_expiry",
    "limit_reason",
    "parent_id",
    "group_limited",
    "group_limit",
    "next_review_date",
    "collector_id",
    "dispute_days",
    "hold",
    "hold_reason",
)
GROUP_FIELDS = ("parent_id", "group_limited", "group_limit")
# Until when something is decided: later is more credit.
DATE_FIELDS = ("limit_expiry", "next_review_date")
# What of a credit file may give more credit, and what of a cover.
RAISING_FIELDS = {*LIMIT_FIELDS, *GROUP_FIELDS, *DATE_FIELDS, "hold"}
# By which somebody takes another decision than an approved review that waits for its day.
DECIDED_FIELDS = RAISING_FIELDS - {*DATE_FIELDS, "equity", "cover_amount", "customer_since"}
COVER_FIELDS = {
    "active",
    "kind",
    "currency_id",
    "amount",
    "covered_share",
    "date_from",
    "date_to",
    "file_id",
}
# So many customers are named when a write is refused.
MOST_NAMED = 5


def read_date(value):
    return fields.Date.to_string(fields.Date.to_date(value)) or False


def read_covers(value):
    """Covers that a review asks for: list of ``[id, or false for a new one, values]``."""
    return [
        [
            int(cover_id or 0) or False,
            {name: read(values[name]) for name, read in COVER_ASKED.items() if name in values},
        ]
        for cover_id, values in value
    ]


COVER_ASKED = {
    "active": bool,
    "kind": str,
    "reference": lambda value: str(value or "") or False,
    "issuer_id": lambda value: int(value or 0) or False,
    "currency_id": int,
    "amount": float,
    "covered_share": float,
    "date_from": read_date,
    "date_to": read_date,
}
# What a review asks for beside grade and limit: field of the credit file -> what the value is.
ASKED = {
    "covers": read_covers,
    "limit_expiry": read_date,
    "next_review_date": read_date,
    "hold": bool,
    "temporary_limit": float,
    "temporary_limit_end": read_date,
    "parent_id": lambda value: int(value) or False,
    "group_limited": bool,
    "group_limit": float,
}


class Standing(NamedTuple):
    """What a customer is allowed before somebody changes it, and why it is changed."""

    grade: models.BaseModel
    hold: bool
    terms: LimitTerms
    # ``None`` for no limit.
    group_limit: float | None
    reason: str
    hold_reason: str
    # ``{name: date}`` of ``DATE_FIELDS``.
    dates: dict
    # What is done to covers, as :func:`read_covers` takes it.
    covers: tuple = ()


class Rise(NamedTuple):
    """More credit for a customer, in one respect."""

    text: str
    # Whether the tolerance of the user reaches.
    within: bool
    # Fields that a review has to ask for beside grade and limit.
    asked: tuple = ()
    is_release: bool = False


def read_asked(values):
    """What a review may ask for of such values, fit for a Json field."""
    return {name: read(values[name]) for name, read in ASKED.items() if name in values}


class NeedsReview(UserError):
    """More than one person may decide; the client offers to ask for it by a credit review."""

    def __init__(self, message, action, button, context):
        super().__init__(message)
        self.args = (message, action, button, context)
        # The client shows it as it shows Odoo's own error with a button.
        self.context = {"exception_class": "odoo.exceptions.RedirectWarning"}

    def __str__(self):
        return self.args[0]


class ArCreditAuthority(models.AbstractModel):
    """What one person may decide alone on a customer's credit.

    Less credit always. More within the tolerance of the own role, with a reason, once until
    the next credit review. Beyond it a review asks, and a second person approves. The system
    is not asked: jobs and approvals write as superuser.
    """

    _name = "ar.credit.authority"
    _description = "Authority over Credit"

    @api.model
    def _get_standings(self, files, vals):
        """What the customers are allowed before a write, for :meth:`_check_raise` after it.

        :return: ``{file: Standing}``, empty when the write cannot give more
        """
        if self.env.su or vals.keys().isdisjoint(RAISING_FIELDS):
            return {}
        return {
            file: self._get_standing(file, vals.get("limit_reason"), vals.get("hold_reason"))
            for file in files.sudo()
        }

    @api.model
    def _get_standing(self, file, reason, hold_reason="", covers=()):
        return Standing(
            file.grade_id,
            file.hold,
            self._get_terms(file),
            self._get_group_limit(file),
            reason,
            hold_reason,
            {name: file[name] for name in DATE_FIELDS},
            covers,
        )

    @api.model
    def _get_terms(self, file):
        """The terms of a file with what its covers add on each day, at the rates of today."""
        today = file.company_id._ar_today()
        return file._limit_terms(file.company_id._ar_default_credit_limit())._replace(
            periods=tuple(cover._get_period(today) for cover in file.cover_ids)
        )

    @api.model
    def _get_cover_standings(self, changes):
        """What customers are allowed before covers of theirs are written or made.

        :param changes: ``[(cover, or false for a new one, values)]``
        :return: ``{file: Standing}``, empty when they cannot give more
        """
        files = self.env["ar.credit.file"].sudo()
        asked = {}
        for cover, vals in changes:
            if self.env.su or (cover and vals.keys().isdisjoint(COVER_FIELDS)):
                continue
            known = cover and cover.sudo()
            kept = (
                {
                    name: known._fields[name].convert_to_write(known[name], known)
                    for name in COVER_ASKED
                }
                if known
                else {}
            )
            file_id = vals.get("file_id") or (known and known.file_id.id)
            # What is moved to another customer is a new cover there.
            moved = known and known.file_id.id != file_id
            asked.setdefault(file_id, []).append(
                [known and not moved and known.id, {**kept, **vals}]
            )
        return {
            file: self._get_standing(
                file,
                "; ".join(self.env["ar.credit.cover"]._describe(vals) for _id, vals in covers),
                covers=tuple(covers),
            )
            for file_id, covers in asked.items()
            for file in files.browse(file_id)
        }

    @api.model
    def _get_newcomers(self, files, in_use, vals_list):
        """What new files would allow if nobody had decided anything: ``{file: Standing}``.

        :param in_use: for each file, the values of a limit that the customer had in Odoo
        """
        if self.env.su:
            return {}
        standings = {}
        for file, limit, vals in zip(files.sudo(), in_use, vals_list, strict=True):
            grade = self.env["ar.credit.grade"]._get_default_grade(file.company_id).sudo()
            terms = LimitTerms(
                mode=limit.get("limit_mode", "grade"),
                custom=limit.get("custom_limit", 0),
                default=file.company_id._ar_default_credit_limit(),
                periods=(),
                **grade._limit_terms(),
            )
            standings[file] = Standing(grade, False, terms, None, vals.get("limit_reason"), "", {})
        return standings

    @api.model
    def _get_limit_in_use(self, vals):
        """A credit limit that the customer has in Odoo already stays, as a custom limit."""
        company = self.env["res.company"].browse(vals.get("company_id")) or self.env.company.root_id
        partner = (
            self.env["res.partner"].sudo().with_company(company).browse(vals.get("partner_id"))
        )
        default = partner._fields["credit_limit"].get_company_dependent_fallback(partner) or 0
        limit = partner.credit_limit
        if limit == default:
            return {}
        return {"limit_mode": "custom" if limit else "unlimited", "custom_limit": limit}

    @api.model
    def _get_group_limit(self, file):
        head = file.parent_id or file
        return head.group_limit if head.group_limited else None

    @api.model
    def _check_raise(self, standings):
        """Refuse what the user may not decide alone, and note what the user did.

        :param standings: ``{file: Standing}`` of before
        :raises NeedsReview: it goes beyond the tolerance
        :raises UserError: a reason is missing
        """
        tolerances = {}
        found = {}
        for file, standing in standings.items():
            company = file.company_id
            if company not in tolerances:
                tolerances[company] = self.env["ar.credit.tolerance"]._get_tolerance(company)
            if rises := self._find_rises(file, standing, tolerances[company]):
                found[file] = rises
        beyond = {
            file: rises for file, rises in found.items() if not all(rise.within for rise in rises)
        }
        if beyond:
            self._refuse(beyond, standings)
        for file, rises in found.items():
            self._record_alone(file, rises, standings[file])

    @api.model
    def _find_rises(self, file, standing, tolerance):
        """In what the customer is allowed more than before: list of :class:`Rise`."""
        currency = file.currency_id
        precision = currency.rounding / 2
        rises = []
        # Small steps would add up to a large one.
        is_first = not file.raised_alone_date

        def money(limit):
            if limit is None:
                return self.env._("no limit")
            return format_amount(self.env, limit, currency)

        def add_limit(name, amount, former, limit, asked):
            if amount > precision:
                most = max(tolerance.limit_amount, tolerance.limit_share * (former or 0))
                text = self.env._(
                    "%(name)s %(limit)s instead of %(former)s",
                    name=name,
                    limit=money(limit),
                    former=money(former),
                )
                rises.append(Rise(text, is_first and amount <= most + precision, asked))

        if steps := file.grade_id._count_steps_up(standing.grade):
            cap = file.knockout_id.grade_id
            capped = bool(cap) and file.grade_id.score_from > cap.score_from
            text = self.env._(
                "grade %(grade)s instead of %(former)s",
                grade=file.grade_id.display_name or self.env._("none"),
                former=standing.grade.display_name or self.env._("none"),
            )
            rises.append(Rise(text, is_first and not capped and steps <= tolerance.grade_steps))
        terms = self._get_terms(file)
        temporary = ("temporary_limit", "temporary_limit_end") if terms.temporary_end else ()
        raised = find_raise(standing.terms, terms, file.company_id._ar_today())
        add_limit(self.env._("credit limit"), *raised, temporary)
        for name, former in standing.dates.items():
            date = file[name]
            if not former or (date and date <= former):
                continue
            text = self.env._(
                "%(name)s %(date)s instead of %(former)s",
                name=file._fields[name]._description_string(self.env),
                date=format_date(self.env, date) or self.env._("no date"),
                former=format_date(self.env, former),
            )
            within = bool(date) and (date - former).days <= tolerance.postpone_days
            rises.append(Rise(text, is_first and within, (name,)))
        former, limit = standing.group_limit, self._get_group_limit(file)
        raised = get_increase(former, limit), former, limit
        add_limit(self.env._("group limit"), *raised, GROUP_FIELDS)
        if standing.hold and not file.hold:
            within = tolerance.hold_amount > 0 and file.exposure <= tolerance.hold_amount
            rises.append(Rise(self.env._("the credit hold is lifted"), within, ("hold",), True))
        return rises

    @api.model
    def _refuse(self, beyond, standings):
        """:raises NeedsReview: with what was wanted, to ask for it by reviews"""
        asked = []
        parts = []
        for file, rises in beyond.items():
            if len(parts) < MOST_NAMED:
                texts = "; ".join(rise.text for rise in rises)
                parts.append(f"{file.partner_id.display_name}: {texts}.")
            if (
                len(beyond) == 1
                and file.raised_alone_date
                and not any(rise.is_release for rise in rises)
            ):
                parts.append(
                    self.env._(
                        "One person raised it on %s already.",
                        format_date(self.env, file.raised_alone_date),
                    )
                )
            standing = standings[file]
            names = {name for rise in rises for name in rise.asked}
            asked.append(
                {
                    "partner_id": file.partner_id.id,
                    "company_id": file.company_id.id,
                    "grade_id": file.grade_id.id,
                    "limit_mode": file.limit_mode,
                    "limit_amount": file.custom_limit,
                    "limit_currency_id": file.limit_currency_id.id,
                    "limit_in_currency": file.limit_in_currency,
                    "more": {
                        **{
                            name: file._fields[name].convert_to_write(file[name], file)
                            for name in names
                        },
                        **({"covers": read_covers(standing.covers)} if standing.covers else {}),
                    },
                    "reason": standing.reason or standing.hold_reason or False,
                }
            )
        if len(beyond) > MOST_NAMED:
            parts.append(self.env._("And %s more customers.", len(beyond) - MOST_NAMED))
        parts.append(
            self.env._(
                "That is more than you may decide alone: submit a review, and a second person "
                "approves it."
            )
        )
        raise NeedsReview(
            "\n".join(parts),
            self.env.ref("ar_collections.ar_credit_review_action_ask").id,
            self.env._("Submit a Review"),
            {"ar_asked": asked},
        )

    @api.model
    def _record_alone(self, file, rises, standing):
        """Keep why somebody alone gave more credit.

        :raises UserError: nobody said why
        """
        raised = [rise.text for rise in rises if not rise.is_release]
        released = [rise.text for rise in rises if rise.is_release]
        for texts, reason, name in (
            (raised, standing.reason, "limit_reason"),
            (released, standing.hold_reason, "hold_reason"),
        ):
            if texts and not (reason or "").strip():
                raise UserError(
                    self.env._(
                        "%(customer)s: %(changes)s. Write down why, in the field “%(field)s”.",
                        customer=file.partner_id.display_name,
                        changes="; ".join(texts),
                        field=file._fields[name]._description_string(self.env),
                    )
                )
            if texts:
                file._message_log(
                    body=self.env._(
                        "Decided by one person: %(changes)s. Reason: %(reason)s",
                        changes="; ".join(texts),
                        reason=reason,
                    )
                )
        if raised:
            file.raised_alone_date = file.company_id._ar_today()

    @api.model
    def _overtake_waiting(self, files, vals):
        """What somebody decides now takes the place of what was approved for a later day."""
        if self.env.su or vals.keys().isdisjoint(DECIDED_FIELDS):
            return
        reviews = self.env["ar.credit.review"].sudo()
        for review in reviews.search(
            [("file_id", "in", files.ids), *reviews._get_waiting_domain()]
        ):
            review.action_cancel()
            review._message_log(
                body=self.env._("%s has decided something else since.", self.env.user.name)
            )

    # Asking

    @api.model
    def _describe_asked(self, review):
        """What a review asks for beside grade and limit, in words, a line each."""
        asked = review.asked or {}
        files = self.env["ar.credit.file"].sudo()

        def money(name):
            return format_amount(self.env, asked.get(name, 0), review.currency_id)

        texts = []
        if asked.get("hold") is False:
            texts.append(self.env._("Lift the credit hold"))
        if end := asked.get("temporary_limit_end"):
            texts.append(
                self.env._(
                    "Temporary limit %(limit)s until %(date)s",
                    limit=money("temporary_limit"),
                    date=format_date(self.env, end),
                )
            )
        for name in DATE_FIELDS:
            if name in asked:
                texts.append(
                    self.env._(
                        "%(name)s: %(date)s",
                        name=files._fields[name]._description_string(self.env),
                        date=format_date(self.env, asked[name]) or self.env._("no date"),
                    )
                )
        covers = self.env["ar.credit.cover"]
        partner = {"file_id": review.file_id.id, "partner_id": review.partner_id.id}
        texts += [
            covers._describe({**values, **partner}) for _id, values in asked.get("covers", ())
        ]
        if "group_limited" in asked:
            limit = money("group_limit") if asked["group_limited"] else self.env._("no limit")
            if head := files.browse(asked["parent_id"] or ()):
                texts.append(self.env._("Member of the group %s", head.partner_id.display_name))
            else:
                texts.append(self.env._("Group limit: %s", limit))
        return "\n".join(texts)

    @api.model
    def _get_asked_values(self, review):
        """What a review asks for of the credit file beside grade and limit.

        A hold that was set after the decision stays: nobody who decided knew of it.
        """
        asked = {name: value for name, value in (review.asked or {}).items() if name != "covers"}
        held_on = review.file_id.hold and review.file_id.hold_date
        if held_on and review.decision_date and held_on > review.decision_date:
            asked.pop("hold", None)
        return asked

    @api.model
    def _apply_covers(self, review):
        """Make and change the covers that a review asked for, as it was approved."""
        covers = self.env["ar.credit.cover"].sudo().with_context(active_test=False)
        for cover_id, values in (review.asked or {}).get("covers", ()):
            cover = covers.search([("id", "=", cover_id), ("file_id", "=", review.file_id.id)])
            if cover:
                cover.write(values)
            elif not cover_id:
                covers.create({**values, "file_id": review.file_id.id})

    @api.model
    def _check_reason(self, review):
        """Refuse a proposal that gives more than now by somebody's choice, without saying why.

        What the score and the rule of its grade give is reason enough.

        :raises UserError: the assessment is empty
        """
        if (review.reason_note or "").strip():
            return
        file = review.file_id.sudo()
        is_chosen = review.grade_id != review.proposed_grade_id or review.limit_mode != "grade"
        limit = review.limit_amount if review.is_limited else None
        before = file._get_agreed_limit()
        is_raised = (
            review.grade_id._count_steps_up(file.grade_id)
            or get_increase(before, limit) > review.currency_id.rounding / 2
        )
        if review.asked or (is_chosen and is_raised):
            raise UserError(
                self.env._("Write into the assessment why the customer gets more credit.")
            )

    @api.model
    def _ask_for_review(self):
        """Put what the context says that was refused into reviews, and show them.

        A request may send any context: what it asks for is checked as a write of the user is.
        """
        reviews = self.env["ar.credit.review"]
        for asked in self.env.context.get("ar_asked") or ():
            file = self.env["ar.credit.file"]._get_file(
                self.env["res.partner"].browse(asked["partner_id"]),
                self.env["res.company"].browse(asked["company_id"]),
                create=True,
            )
            reviews |= file._get_open_review()._ask_for(asked)
        return reviews._get_records_action()
