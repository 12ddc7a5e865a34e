from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .collection_planner import CONTACTS
from .stage_proof import KINDS, missing_proof


class Answered:
    """Who has asked for the proof already, or answers for its lack; a request cannot send it."""


ANSWERED = Answered()


class ArCollectionCase(models.Model):
    """A case goes on to a later stage only with the proof that the stages before ask for."""

    _inherit = "ar.collection.case"

    proof_missing = fields.Char(
        string="Before the Next Stage",
        compute="_compute_proof_missing",
        help="What has to be done before this case may leave its stage.",
    )

    @api.depends("stage_id", "action_ids.state")
    def _compute_proof_missing(self):
        missing = self._proof_missing({case: case.stage_id for case in self})
        for case in self:
            case.proof_missing = self._proof_text(missing.get(case))

    def write(self, vals):
        # EXTENDS ar_collections
        answered = self.env.context.get("ar_proof") is ANSWERED
        if vals.get("stage_id") and not answered:
            self._check_proof(self.env["ar.collection.stage"].browse(vals["stage_id"]))
        return super().write(vals)

    def _check_proof(self, stage):
        """Refuse to move cases on whose effort is not proven, whoever and whatever moves them."""
        missing = self._proof_missing(self._stages_left(dict.fromkeys(self, stage)))
        for case, kinds in missing.items():
            raise UserError(
                self.env._(
                    "The case of %(customer)s cannot go to “%(stage)s” yet. Missing: %(missing)s. "
                    "A credit manager can move it with a reason.",
                    customer=case.partner_id.display_name,
                    stage=stage.name,
                    missing=self._proof_text(kinds),
                )
            )

    @api.model
    def _stages_left(self, targets):
        """The stages that cases leave behind on their way, none on the way back.

        :param targets: ``{case: stages to go to}``, the last of several
        :return: ``{case: stages}``
        """
        stages = self.env["ar.collection.stage"].search([("active", "=", True)])
        if not any(stage._asks_for_proof() for stage in stages):
            return {}
        left = {}
        for case, target in targets.items():
            way = stages | case.stage_id | target
            position = {stage: (stage.sequence, stage.id) for stage in way}
            start = position.get(case.stage_id)
            end = max((position[stage] for stage in target), default=None)
            if start and end:
                left[case] = way.filtered(
                    lambda stage, start=start, end=end, position=position: (
                        start <= position[stage] < end
                    )
                )
        return left

    def _proof_missing(self, stages_left, date=None):
        """What each case has not done of what the stages ask for.

        :param stages_left: ``{case: stages that it wants to leave}``
        :param date: the day on which they are left; today when there is none
        :return: ``{case: {kind: number}}``, only cases that lack something
        """
        asked = {
            case: [stage._requirement() for stage in stages if stage._asks_for_proof()]
            for case, stages in stages_left.items()
        }
        cases = self.browse(case.id for case, wanted in asked.items() if wanted)
        made = cases._contacts_made()
        missing = {}
        for case in cases:
            day = date or self._proof_date(case.company_id)
            lacks = defaultdict(int)
            for requirement in asked[case]:
                for kind, number in missing_proof(requirement, made[case.id], day).items():
                    lacks[kind] = max(lacks[kind], number)
            if lacks:
                missing[case] = lacks
        return missing

    @api.model
    def _proof_date(self, company):
        """Today, or the day of the last run when that is later."""
        return max(company._ar_today(), company._ar_get_run_date())

    def _contacts_made(self):
        """``{case id: [(channel, day)]}`` of the contacts that took place."""
        made = defaultdict(list)
        if self:
            for case, channel, day, count in self.env["ar.collection.action"]._read_group(
                [
                    ("case_id", "in", self.ids),
                    ("state", "=", "done"),
                    ("channel", "in", CONTACTS),
                    ("date_done", "!=", False),
                ],
                ["case_id", "channel", "date_done:day"],
                ["__count"],
            ):
                made[case.id] += [(channel, fields.Date.to_date(day))] * count
        return made

    @api.model
    def _proof_text(self, missing):
        """For example ``2 × Call, 1 × Letter``."""
        if not missing:
            return False
        names = {
            "calls": self.env._("Call"),
            "letters": self.env._("Letter"),
            "visits": self.env._("Visit"),
            "contacts": self.env._("Contact"),
        }
        return ", ".join(f"{missing[kind]} × {names[kind]}" for kind in KINDS if kind in missing)

    def action_move_without_proof(self):
        """Ask a credit manager for the stage and the reason."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Move Without Proof"),
            "res_model": "ar.collection.stage.move",
            "view_mode": "form",
            "target": "new",
            "context": {"default_case_ids": self.ids},
        }

    def _move_without_proof(self, stage, reason):
        """A credit manager answers for it; the reason stays in the chatter."""
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("Only a credit manager moves a case without proof."))
        if not (reason or "").strip():
            raise UserError(self.env._("Write down why the case goes on without proof."))
        self.check_access("write")
        missing = self._proof_missing(self._stages_left(dict.fromkeys(self, stage)))
        for case in self:
            case.with_context(ar_proof=ANSWERED).stage_id = stage
            case.message_post(
                body=self.env._(
                    "Moved to “%(stage)s” without proof (%(missing)s): %(reason)s",
                    stage=stage.name,
                    missing=self._proof_text(missing.get(case))
                    or self.env._("nothing was missing"),
                    reason=reason,
                ),
                subtype_xmlid="mail.mt_note",
            )
