from odoo import models


class ArDebtAcknowledgement(models.Model):
    _inherit = "ar.debt.acknowledgement"
    _portal_states = ("sent", "signed")
