from odoo.tools import SQL

# New records at once from which the statistics of their tables are worth taking.
MANY_RECORDS = 1000


def take_statistics(env, made, *names):
    """Tell PostgreSQL what is in the tables of some models when many records were made at once.

    Until autovacuum has seen the commit it plans for the tables of before: on the first day, and
    after a first day that was killed, for empty ones, and a join of seconds takes minutes.

    :param made: number of new records
    """
    if made < MANY_RECORDS:
        return
    env.flush_all()
    env.cr.execute(
        SQL("ANALYZE %s", SQL(", ").join(SQL.identifier(env[name]._table) for name in names))
    )
