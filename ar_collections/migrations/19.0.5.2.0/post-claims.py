# Lines of claims that are still to be judged: table, its claim, and the states of that.
CLAIMS = (
    ("ar_payment_promise_line", "ar_payment_promise", "promise_id", ("open",)),
    ("ar_payment_plan_item", "ar_payment_plan", "plan_id", ("proposed", "accepted")),
    ("ar_dispute_line", "ar_dispute", "dispute_id", ("open",)),
    ("ar_placement_item", "ar_placement", "placement_id", ("placed",)),
)


def migrate(cr, version):
    """Claims made before 5.1.0 are judged like new ones: by what was booked after them.

    Those for which nobody knows stay as they are: when they were made, the amount asked for was
    not yet less open credits, so that a credit from before may pay them, and it has or still may.
    """
    for table, claim, parent, states in CLAIMS:
        cr.execute(
            f"""
            UPDATE {table} line
               SET booked_before = known.booked, settled_before = 0
              FROM (
                SELECT part.id, part.move_line_id, part.create_date, (
                    SELECT id FROM account_move_line
                     WHERE create_date <= part.create_date
                     ORDER BY id DESC LIMIT 1) AS booked
                  FROM {table} part
                  JOIN {claim} claim ON claim.id = part.{parent}
                 WHERE COALESCE(part.booked_before, 0) = 0 AND claim.state IN %s
              ) known
              JOIN account_move_line item ON item.id = known.move_line_id
             WHERE line.id = known.id AND known.booked >= item.id
               AND NOT EXISTS (
                SELECT FROM account_partial_reconcile partial
                 WHERE partial.debit_move_id = item.id AND partial.credit_move_id <= known.booked
                   AND partial.create_date > known.create_date)
               AND NOT EXISTS (
                SELECT FROM account_move_line credit
                  JOIN res_partner payer ON payer.id = credit.partner_id
                  JOIN res_partner customer ON customer.id = item.partner_id
                 WHERE credit.account_id = item.account_id AND credit.id <= known.booked
                   AND payer.commercial_partner_id = customer.commercial_partner_id
                   AND credit.balance < 0 AND credit.reconciled IS NOT TRUE
                   AND credit.parent_state IN ('draft', 'posted'))
            """,
            [states],
        )
