from typing import NamedTuple

from odoo import api, fields, models

from .stage_proof import KINDS, Requirement


class StageKind(NamedTuple):
    """Who collects in the stages of a kind."""

    # We do: the next stage of own effort follows without asking.
    is_own_effort: bool = False
    # Somebody outside does, or nobody any more.
    is_outside: bool = False
    # The kind of placement with which a case enters the stage.
    placement: str | None = None


class ArCollectionStage(models.Model):
    """A column of the board of cases.

    An addon adds a kind of stage with ``selection_add`` and a method ``_kind_<value>``.
    """

    _name = "ar.collection.stage"
    _description = "Collection Stage"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    fold = fields.Boolean(string="Folded in Kanban")
    kind = fields.Selection(
        [
            ("reminder", "Reminder"),
            ("phone", "Phone"),
            ("visit", "Visit"),
            ("final", "Final demand"),
            ("agency", "Agency"),
            ("legal", "Legal"),
            ("writeoff", "Write-off"),
        ],
        default="reminder",
        required=True,
    )
    hold_credit = fields.Boolean(
        help="A customer whose case enters this stage gets no more credit until the case closes."
    )
    allowance_rate = fields.Float(
        string="Least Allowance",
        help="At least this share of what customers with a case in this stage owe is taken for "
        "lost, whatever the matrix says. Zero to leave it to the matrix.",
    )
    description = fields.Text(
        translate=True, help="What the collector does in this stage; shown on the column."
    )
    exit_calls = fields.Integer(
        string="Calls", help="Calls that must have been made before a case goes on."
    )
    exit_letters = fields.Integer(
        string="Letters", help="Letters that must have been sent before a case goes on."
    )
    exit_visits = fields.Integer(
        string="Visits", help="Visits that must have been made before a case goes on."
    )
    exit_contacts = fields.Integer(
        string="Contacts in All",
        help="Contacts of any kind that must have been made before it goes on.",
    )
    exit_days = fields.Integer(
        string="In the Last (days)",
        default=90,
        help="Older contacts do not count. Zero for all since the case was opened.",
    )
    guidance = fields.Text(compute="_compute_guidance", help="Shown on the column.")

    _exit_numbers = models.Constraint(
        "CHECK(exit_calls >= 0 AND exit_letters >= 0 AND exit_visits >= 0"
        " AND exit_contacts >= 0 AND exit_days >= 0)",
        "What a stage asks for cannot be negative.",
    )
    _allowance_share = models.Constraint(
        "CHECK(allowance_rate >= 0 AND allowance_rate <= 1)",
        "The least allowance is between 0 and 100 %.",
    )

    @api.depends("description", *(f"exit_{kind}" for kind in KINDS), "exit_days")
    @api.depends_context("lang")
    def _compute_guidance(self):
        cases = self.env["ar.collection.case"]
        for stage in self:
            parts = [stage.description]
            if stage._asks_for_proof():
                wanted = {kind: stage[f"exit_{kind}"] for kind in KINDS if stage[f"exit_{kind}"]}
                parts.append(self.env._("Before a case goes on: %s.", cases._format_proof(wanted)))
            stage.guidance = "\n".join(filter(None, parts))

    def _asks_for_proof(self):
        return any(self[f"exit_{kind}"] for kind in KINDS)

    def _get_requirement(self):
        """What the stage asks for before it is left, a :class:`Requirement`."""
        self.ensure_one()
        return Requirement(**{kind: self[f"exit_{kind}"] for kind in KINDS}, days=self.exit_days)

    # Kinds

    @api.model
    def _kind_reminder(self):
        return StageKind(is_own_effort=True)

    @api.model
    def _kind_phone(self):
        return StageKind(is_own_effort=True)

    @api.model
    def _kind_visit(self):
        return StageKind(is_own_effort=True)

    @api.model
    def _kind_final(self):
        return StageKind(is_own_effort=True)

    @api.model
    def _kind_agency(self):
        return StageKind(is_outside=True, placement="agency")

    @api.model
    def _kind_legal(self):
        return StageKind(is_outside=True, placement="lawyer")

    @api.model
    def _kind_writeoff(self):
        return StageKind(is_outside=True)

    @api.model
    def _get_kinds(self):
        """``{value of kind: StageKind}``"""
        values = self._fields["kind"].get_values(self.env)
        return {value: getattr(self, f"_kind_{value}", StageKind)() for value in values}

    def _get_kind(self):
        """:return: :class:`StageKind`; that of no kind when there is no stage"""
        return self._get_kinds().get(self.kind, StageKind())

    @api.model
    def _get_outside_kinds(self):
        """The kinds of stages in which somebody outside, or nobody, collects."""
        return [value for value, kind in self._get_kinds().items() if kind.is_outside]

    @api.model
    def _get_legal_kinds(self):
        """The kinds of stages that a case enters when a lawyer takes it."""
        return [value for value, kind in self._get_kinds().items() if kind.placement == "lawyer"]

    @api.model
    def _get_stage_of_placement(self, placement):
        """The first stage that a case enters with a kind of placement."""
        kinds = [value for value, kind in self._get_kinds().items() if kind.placement == placement]
        return self.search([("kind", "in", kinds)], limit=1)
