from odoo.tools import SQL

from odoo.addons.ar_collections.models.portal.portal_link import TOKENS

# Where messages are kept, before and after they are sent.
TEXTS = (("mail_message", "body"), ("mail_mail", "body_html"), ("sms_sms", "body"))


def migrate(cr, version):
    """Messages kept working links to customers' pages, which everybody who reads them could open.

    The addresses stay. What is still to be sent gets its link on the way.
    """
    for table, column in TEXTS:
        text = SQL.identifier(column)
        cr.execute(
            SQL(
                r"""
                UPDATE %(table)s
                   SET %(text)s = REGEXP_REPLACE(%(text)s, %(tokens)s, '\1', 'gi')
                 WHERE %(text)s LIKE '%%access_token%%' AND %(text)s LIKE '%%receivables%%'
                   AND %(text)s ~* %(tokens)s
                """,
                table=SQL.identifier(table),
                text=text,
                tokens=TOKENS.pattern,
            )
        )
