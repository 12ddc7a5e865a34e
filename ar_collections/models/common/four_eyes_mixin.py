from odoo import models
from odoo.exceptions import UserError


class ArFourEyesMixin(models.AbstractModel):
    """Records that are asked for by one user and decided by another."""

    _name = "ar.four.eyes.mixin"
    _description = "Decided by Somebody Else"

    # The fields that hold who asked, in one way or another.
    _asker_fields = ("requester_id",)

    def _get_askers(self):
        """The users who asked for the record; they may not decide on it."""
        record = self.sudo()
        askers = self.env["res.users"].sudo()
        for name in self._asker_fields:
            askers |= record[name]
        return askers.sudo(self.env.su)

    def _get_asker_names(self):
        return ", ".join(self._get_askers().sudo().mapped("name"))

    def _get_own_request_reason(self):
        """Why the user may not decide, being one of those who asked; empty when they may."""
        self.ensure_one()
        if self.env.user not in self._get_askers():
            return ""
        return self.env._(
            "%(record)s was asked for by %(people)s: somebody else decides it.",
            record=self.display_name,
            people=self._get_asker_names(),
        )

    def _check_four_eyes(self):
        """Refuse the decision of whoever asked.

        :raises UserError: the user asked for one of the records
        """
        for record in self:
            if reason := record._get_own_request_reason():
                raise UserError(reason)
