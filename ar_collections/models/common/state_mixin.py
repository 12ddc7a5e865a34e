from odoo import models
from odoo.exceptions import UserError


class ArStateMixin(models.AbstractModel):
    """Records whose buttons are for some of their states only."""

    _name = "ar.state.mixin"
    _description = "Checked States"

    def _get_state_label(self):
        """The state as the user reads it on the screen."""
        self.ensure_one()
        return dict(self._fields["state"]._description_selection(self.env)).get(self.state, "")

    def _check_state(self, *states):
        """Refuse what is not for the state of a record.

        :param states: those it is for
        :raises UserError: a record has another state
        """
        for record in self:
            if record.state not in states:
                raise UserError(
                    self.env._(
                        "%(record)s has the status “%(state)s”: this is not possible in it.",
                        record=record.display_name,
                        state=record._get_state_label(),
                    )
                )
