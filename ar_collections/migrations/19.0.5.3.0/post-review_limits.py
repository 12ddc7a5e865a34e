"""Whether a review proposes a limit now counts custom limits as well."""


def migrate(cr, version):
    cr.execute(
        """
        UPDATE ar_credit_review SET is_limited = TRUE
         WHERE limit_mode = 'custom' AND is_limited IS NOT TRUE
        """
    )
