def migrate(cr, version):
    """A promise that another one took the place of on the same day was corrected, not put off."""
    cr.execute(
        """
        UPDATE ar_payment_promise former
           SET state = 'cancelled'
          FROM ar_payment_promise later
         WHERE later.id = former.replaced_by_id
           AND former.state = 'replaced' AND former.date_made = later.date_made
        """
    )
