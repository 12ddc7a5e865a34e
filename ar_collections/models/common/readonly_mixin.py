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
            self = self._without_defaults()  # noqa: PLW0642
        return super().create(vals_list)

    def write(self, vals):
        if not self.env.su:
            self.check_access("write")
            self._check_readonly(vals)
        return super().write(vals)

    def _without_defaults(self):
        """The model without the defaults of the context that nobody may choose: RPC sends any."""
        refused = {
            f"default_{name}"
            for name, field in self._fields.items()
            if field.readonly and name not in self._creation_fields
        }
        if refused.isdisjoint(self.env.context):
            return self
        context = {key: value for key, value in self.env.context.items() if key not in refused}
        # What is refused has to leave the context, which keyword arguments only add to.
        return self.with_env(self.env(context=context))

    def _check_readonly(self, names):
        refuse_readonly(self, names)


def refuse_readonly(records, names):
    """Refuse to write fields that are readonly on the model.

    :raises AccessError: some of the names are of such a field
    """
    refused = [
        records._fields[name]._description_string(records.env)
        for name in names
        if records._fields[name].readonly
    ]
    if refused:
        raise AccessError(
            records.env._(
                "The system alone writes these fields of “%(model)s”: %(fields)s.",
                model=records._description,
                fields=", ".join(sorted(refused)),
            )
        )
