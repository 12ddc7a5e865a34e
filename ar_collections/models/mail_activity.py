from odoo import api, models
from odoo.tools import plaintext2html


class MailActivity(models.Model):
    _inherit = "mail.activity"

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS mail: what is to be done about our records is given to a person
        for vals in vals_list:
            record = self._ar_get_record(vals)
            if record is not None and not self._ar_is_person(vals.get("user_id")):
                vals["user_id"] = self.env["res.users"]._ar_get_somebody(record.company_id).id
        return super().create(vals_list)

    @api.model
    def _ar_is_person(self, user_id):
        user = self.env["res.users"].sudo().browse(user_id or ())
        return user.active and not user.share

    @api.model
    def _ar_get_record(self, vals):
        """Which of our records of a company an activity is about; ``None`` when it is about
        something else."""
        model = (
            vals.get("res_model")
            or self.env["ir.model"].sudo().browse(vals.get("res_model_id") or ()).model
        )
        if not (model or "").startswith("ar.") or "company_id" not in self.env[model]._fields:
            return None
        return self.env[model].sudo().browse(vals.get("res_id") or ())

    def _action_done(self, feedback=False, attachment_ids=None):
        # EXTENDS mail: an activity of a collection action that is done is a contact made
        actions = self._ar_planned_actions()
        result = super()._action_done(feedback=feedback, attachment_ids=attachment_ids)
        for company, company_actions in actions.grouped("company_id").items():
            if feedback:
                company_actions.note = feedback
            date = company._ar_today()
            company_actions._freeze_now(date)
            for outcome, same in company_actions.grouped("outcome").items():
                same._mark_done(date, outcome or "done")
        return result

    def write(self, vals):
        # EXTENDS mail: a contact is planned for the day and the user of its activity
        result = super().write(vals)
        for name, value in (
            ("date_planned", vals.get("date_deadline")),
            ("user_id", vals.get("user_id")),
        ):
            if value:
                self._ar_planned_actions().filtered_domain([(name, "!=", value)])[name] = value
        return result

    def _ar_planned_actions(self):
        # Everybody moves and closes the own activities, with or without rights on collection.
        return (
            self.env["ar.collection.action"]
            .sudo()
            .search([("activity_id", "in", self.ids), ("state", "=", "planned")])
        )

    @api.model
    def _ar_give(self, company, activity_type, date, texts):
        """One activity per record for the company's credit manager or the collector, in one go.

        :param activity_type: XML id
        :param texts: ``{case or credit file: (summary, note)}``
        """
        type_id = self.env["ir.model.data"]._xmlid_to_res_id(activity_type)
        responsible = self.env["res.users"]._ar_get_responsible(
            company,
            {
                record: company.ar_credit_manager_id | record.collector_id | self.env.user
                for record in texts
            },
        )
        self.with_context(mail_activity_quick_update=True).create(
            [
                {
                    "res_model_id": self.env["ir.model"]._get_id(record._name),
                    "res_id": record.id,
                    "activity_type_id": type_id,
                    "automated": True,
                    "summary": summary,
                    "note": plaintext2html(note),
                    "date_deadline": date,
                    "user_id": responsible[record].id,
                }
                for record, (summary, note) in texts.items()
            ]
        )
