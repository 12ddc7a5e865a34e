from odoo import models


class ArPaymentPlan(models.Model):
    _inherit = "ar.payment.plan"

    def _letter_item_tables(self):
        columns = [
            (self.env._("Invoice"), "text"),
            (self.env._("Due Date"), "date"),
            (self.env._("Amount"), "money"),
        ]
        return self._letter_tables(
            self.env._("Items that are paid off"),
            columns,
            [(item.currency_id, (item.name, item.due_date, item.amount)) for item in self.item_ids],
        )

    def _letter_instalment_tables(self):
        columns = [
            (self.env._("Instalment"), "text"),
            (self.env._("Due Date"), "date"),
            (self.env._("Amount"), "money"),
        ]
        return self._letter_tables(
            self.env._("Instalments"),
            columns,
            [
                (self.currency_id, (str(number), line.date, line.amount))
                for number, line in enumerate(self.line_ids, 1)
            ],
        )


class ArDebtAcknowledgement(models.Model):
    _inherit = "ar.debt.acknowledgement"

    def _letter_item_tables(self):
        columns = [
            (self.env._("Document"), "text"),
            (self.env._("Date"), "date"),
            (self.env._("Due Date"), "date"),
            (self.env._("Still Open"), "money"),
        ]
        return self._letter_tables(
            self.env._("Open items"),
            columns,
            [
                (item.currency_id, (item.name, item.date, item.due_date, item.residual_currency))
                for item in self.item_ids
            ],
        )
