from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Companies that send already go on, and their stages hold credit as they did.

    This version does not change what is sent. One that does calls ``_ar_prepare_again``.
    """
    env = api.Environment(cr, SUPERUSER_ID, {})
    cr.execute("SELECT DISTINCT company_id FROM ar_collection_run WHERE state = 'done'")
    companies = env["res.company"].browse(id_ for (id_,) in cr.fetchall())
    companies = companies.filtered(lambda company: not company.ar_started_database)
    companies._ar_mark_started()
    companies.ar_stage_holds = "hold"
    cr.execute(
        """
        UPDATE ar_collection_run run
           SET message_count = sent.messages
          FROM (
            SELECT action.run_id, COUNT(*) AS messages
              FROM ar_collection_action action
              JOIN ar_collection_step step ON step.id = action.step_id
             WHERE step.automatic AND action.state IN ('planned', 'done')
             GROUP BY action.run_id
          ) sent
         WHERE sent.run_id = run.id AND run.message_count IS DISTINCT FROM sent.messages
        """
    )
    env.invalidate_all()
