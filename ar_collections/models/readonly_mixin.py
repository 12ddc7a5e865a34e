from odoo import api, models
from odoo.exceptions import AccessError


class ArReadonlyMixin(models.AbstractModel):
    """Fields that are readonly on the model are readonly over RPC and import too.

    They hold what the ledger, the daily run or a checked button decided; only code that runs as
    superuser writes them.
    """

    _name = "ar.readonly.mixin"
    _description = "Readonly Fields for Everybody"

    # Readonly fields that say what a record is about when somebody creates it.
    _creation_fields = ()

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            names = {name for vals in vals_list for name, value in vals.items() if value}
            self._check_readonly(names.difference(self._creation_fields))
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su:
            self.check_access("write")
            self._check_readonly(vals)
        return super().write(vals)

    def _check_readonly(self, names):
        refused = [
            self._fields[name]._description_string(self.env)
            for name in names
            if self._fields[name].readonly
        ]
        if refused:
            raise AccessError(
                self.env._(
                    "The system alone writes these fields of “%(model)s”: %(fields)s.",
                    model=self._description,
                    fields=", ".join(sorted(refused)),
                )
            )
