import socket

from odoo import fields, models
from odoo.tools import config, email_normalize

# What Odoo writes as when nobody has entered an address.
NOBODYS_ADDRESS = "odoobot@example.com"
# Odoo's own default when no outgoing mail server is set up.
DEFAULT_SMTP_SERVER = "localhost"
SMTP_PATIENCE_SECONDS = 2


class ResCompany(models.Model):
    """Whether a company may send, how an old ledger begins, how long items are excluded, and what
    is tried again."""

    _inherit = "res.company"

    ar_sending_stopped = fields.Boolean(
        string="Sending Is Stopped",
        copy=False,
        help="No step is taken and no message goes out, from the batch under way on.",
    )
    # Values of ``channel``, separated by commas.
    ar_stopped_channels = fields.Char(
        string="Stopped Channels",
        copy=False,
        help="Steps by these channels wait until the channel may be used again.",
    )
    ar_stage_holds = fields.Selection(
        [("ask", "Propose it, a person decides"), ("hold", "Hold at once")],
        string="A Stage That Holds Credit",
        default="ask",
        required=True,
        help="What happens when a case enters a stage that holds credit. Look at the first "
        "proposals before you let stages hold by themselves.",
    )

    ar_first_contact = fields.Selection(
        [("age", "The step of its age"), ("first", "The first reminder, then step by step")],
        string="An Old Debt Begins With",
        default="age",
        required=True,
        help="What customers get who never had a step when their debt is found late: the highest "
        "step that their oldest item has reached, or the first reminder like everybody, and each "
        "further step as many days later as the policy puts between them.",
    )
    ar_exclusion_days = fields.Integer(
        string="Longest Exclusion (days)",
        default=30,
        help="So long an item may be excluded from follow-up; credit managers may exclude it for "
        "longer. Who has to decide on an exclusion is asked again after so many days.",
    )

    ar_retry_longest = fields.Integer(
        string="Longest Pause Before the Next Try (days)",
        default=3,
        help="A contact that failed is tried again after one day, then two, then four, and so on, "
        "at most so many days later.",
    )
    ar_retry_most = fields.Integer(
        string="Tries of a Contact",
        default=10,
        help="After so many failures it is not tried again: the collector sends it again or "
        "cancels it, and the case goes on.",
    )

    _ar_exclusion_days_positive = models.Constraint(
        "CHECK(ar_exclusion_days > 0)", "An exclusion lasts for one day at least."
    )
    _ar_retry_positive = models.Constraint(
        "CHECK(ar_retry_longest > 0 AND ar_retry_most > 0)",
        "A pause lasts for one day at least, and every contact is tried once.",
    )

    # Whether it may send

    def _ar_scale_amounts(self, former):
        # EXTENDS ar_collections: what is a large debt, and what is too small to ask for
        result = super()._ar_scale_amounts(former)
        rules = self.env["ar.collection.priority.rule"]
        self._ar_scale_records(former, rules, lambda rule, ratio: rule._get_scaled_values(ratio))
        policies = self.env["ar.collection.policy"].sudo().with_context(active_test=False)
        # Shared policies are shipped without amounts: another company needs none of its own.
        companies = [self.id, False] if self == self._ar_get_first() else self.ids
        policies.search([("company_id", "in", companies)])._scale_amounts(
            self.ar_amount_factor / former
        )
        return result

    def _ar_get_reason_not_to_send(self):
        """Why the company sends nothing by itself now, and what to do; empty when it may send."""
        company = self.root_id.sudo()
        name = company.name
        if company.ar_sending_stopped:
            return self.env._(
                "Sending is stopped for %s: a credit manager lets it go on under Collections > "
                "Configuration > Sending.",
                name,
            )
        if company._ar_is_copy():
            return self.env._(
                "This is a copy of the database in which %s was started, so it sends nothing. If "
                "the copy is the real one now, a credit manager starts it under Collections > "
                "Configuration > Sending.",
                name,
            )
        if company._ar_is_by_code():
            return ""
        if not company._ar_is_started():
            return self.env._(
                "%s is preparing: days are planned and nothing is sent, until a credit manager "
                "starts it under Collections > Configuration > Sending.",
                name,
            )
        return company._ar_get_obstacle()

    def _ar_get_obstacle(self):
        """What is missing to send in the company's name, and what to do; empty when nothing is."""
        company = self.root_id.sudo()
        if email_normalize(company.email) in (False, NOBODYS_ADDRESS):
            return self.env._(
                "%s has no e-mail address to write from: enter one under Settings > Companies.",
                company.name,
            )
        if not self._ar_has_mail_server():
            return self.env._(
                "There is no outgoing mail server: set one up under Settings > Technical > "
                "Outgoing Mail Servers."
            )
        if not self.env["res.users"]._ar_get_manager(company):
            return self.env._(
                "Nobody is credit manager of %s to give work to: give somebody the role under "
                "Settings > Users.",
                company.name,
            )
        return ""

    def _ar_has_mail_server(self):
        """A server of Odoo's list, or one of the configuration file that is there."""
        if self.env["ir.mail_server"].sudo().search_count([], limit=1):
            return True
        server, port = config["smtp_server"], config["smtp_port"]
        if server != DEFAULT_SMTP_SERVER:
            return bool(server)
        try:
            with socket.create_connection((server, port), timeout=SMTP_PATIENCE_SECONDS):
                return True
        except OSError:
            return False

    def _ar_is_stopped(self):
        """Whether not even what waits in the outbox goes out: a person has stopped the company, or
        this is a copy of its database."""
        return self.root_id.sudo().ar_sending_stopped or self._ar_is_copy()

    def _ar_get_stopped_channels(self):
        """``{value of the channel}``"""
        return set(filter(None, (self.root_id.sudo().ar_stopped_channels or "").split(",")))

    def _ar_holds_by_stage(self):
        """Whether stages hold credit by themselves; otherwise they propose it."""
        if self._ar_is_by_code():
            return True
        return self._ar_is_started() and self.root_id.sudo().ar_stage_holds == "hold"


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    ar_first_contact = fields.Selection(
        related="company_id.root_id.ar_first_contact", readonly=False, required=True
    )
    ar_exclusion_days = fields.Integer(
        related="company_id.root_id.ar_exclusion_days", readonly=False
    )
    ar_stage_holds = fields.Selection(
        related="company_id.root_id.ar_stage_holds", readonly=False, required=True
    )
    ar_retry_longest = fields.Integer(related="company_id.root_id.ar_retry_longest", readonly=False)
    ar_retry_most = fields.Integer(related="company_id.root_id.ar_retry_most", readonly=False)
