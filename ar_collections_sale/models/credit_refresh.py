from odoo import api, models
from odoo.tools import SQL

from odoo.addons.ar_collections.models.credit.credit_limit import limit_use_sql


class ArCreditRefresh(models.AbstractModel):
    _inherit = "ar.credit.refresh"

    @api.model
    def _refresh_orders(self, companies, date, partners=None):
        # EXTENDS ar_collections: with what follows from it, so that an order needs nothing else
        result = super()._refresh_orders(companies, date, partners)
        files = self.env["ar.credit.file"]
        files.flush_model()
        scope = SQL("file.company_id IN %s", tuple(companies.ids))
        if partners is not None:
            ids = tuple(partners.commercial_partner_id.ids) or (0,)
            scope = SQL("%s AND file.partner_id IN %s", scope, ids)
        exposure = SQL("(COALESCE(file.open_amount, 0) + fresh.amount)")
        self.env.cr.execute(
            SQL(
                """
            UPDATE ar_credit_file file
               SET order_amount = fresh.amount, exposure = %(exposure)s, limit_use = %(limit_use)s
              FROM (
                SELECT file.id, COALESCE(orders.amount, 0) AS amount
                  FROM ar_credit_file file
                  LEFT JOIN (%(orders)s) orders ON orders.company_id = file.company_id
                                               AND orders.partner_id = file.partner_id
                 WHERE %(scope)s
              ) fresh
             WHERE fresh.id = file.id AND COALESCE(file.order_amount, 0) <> fresh.amount
            """,
                exposure=exposure,
                limit_use=limit_use_sql(exposure),
                orders=self._orders_sql(companies, date, partners),
                scope=scope,
            )
        )
        if self.env.cr.rowcount:
            files.invalidate_model(flush=False)
        return result

    @api.model
    def _orders_sql(self, companies, date, partners=None):
        """What confirmed orders still add to the debt; ``_ar_open_amount`` of one order says how.

        Thousands of old orders cost nothing: an order whose lines are all on invoices is read
        only when one of these is a draft of the customer, and drafts are few.
        """
        for model, names in {
            "sale.order": ("state", "invoice_status", "partner_invoice_id", "currency_id"),
            "sale.order.line": (
                "order_id",
                "display_type",
                "is_downpayment",
                "product_uom_qty",
                "product_uom_id",
                "price_unit",
                "discount",
                "price_total",
                "qty_delivered",
                "qty_invoiced",
                "invoice_lines",
            ),
            "account.move": ("state", "move_type", "commercial_partner_id"),
            "account.move.line": ("move_id", "quantity", "product_uom_id", "price_total"),
            "res.partner": ("commercial_partner_id",),
            "res.currency.rate": ("currency_id", "company_id", "name", "rate"),
        }.items():
            self.env[model].flush_model(names)
        of_draft = of_customer = SQL()
        if partners is not None:
            ids = tuple(partners.commercial_partner_id.ids) or (0,)
            of_draft = SQL("AND move.commercial_partner_id IN %s", ids)
            of_customer = SQL("AND customer.commercial_partner_id IN %s", ids)
        return SQL(
            """
            WITH draft_order AS (  -- orders with lines that count as invoiced and are not yet
                SELECT DISTINCT line.order_id, move.commercial_partner_id AS partner_id
                  FROM account_move move
                  JOIN account_move_line item ON item.move_id = move.id
                  JOIN sale_order_line_invoice_rel link ON link.invoice_line_id = item.id
                  JOIN sale_order_line line ON line.id = link.order_line_id
                 WHERE move.state = 'draft' AND move.move_type IN ('out_invoice', 'out_refund')
                   %(of_draft)s
            ), open_order AS (
                SELECT sale.id, sale.company_id, sale.currency_id,
                       customer.commercial_partner_id AS partner_id
                  FROM sale_order sale
                  JOIN res_partner customer ON customer.id = sale.partner_invoice_id
                 WHERE sale.state = 'sale' AND sale.invoice_status IS DISTINCT FROM 'invoiced'
                   %(of_customer)s
                 UNION
                SELECT sale.id, sale.company_id, sale.currency_id,
                       customer.commercial_partner_id AS partner_id
                  FROM draft_order draft
                  JOIN sale_order sale ON sale.id = draft.order_id
                  JOIN res_partner customer ON customer.id = sale.partner_invoice_id
                 WHERE sale.state = 'sale'
                   AND customer.commercial_partner_id = draft.partner_id
            ), counted AS (
                SELECT line.id AS line_id, sale.id AS order_id, sale.partner_id, sale.currency_id,
                       company.root_id, root.currency_id AS home_id,
                       line.is_downpayment, line.price_total,
                       line.price_unit * (1 - COALESCE(line.discount, 0) / 100) AS net_price,
                       line.product_uom_qty AS ordered,
                       COALESCE(line.qty_delivered, 0) AS delivered,
                       COALESCE(line.qty_invoiced, 0) - COALESCE(draft.quantity, 0) AS posted
                  FROM open_order sale
                  JOIN (
                    SELECT id, SPLIT_PART(parent_path, '/', 1)::int AS root_id FROM res_company
                  ) company ON company.id = sale.company_id
                  JOIN res_company root ON root.id = company.root_id
                  JOIN sale_order_line line ON line.order_id = sale.id
                  LEFT JOIN LATERAL (
                    SELECT SUM(CASE move.move_type WHEN 'out_invoice' THEN 1 ELSE -1 END
                               * item.quantity * COALESCE(item_unit.factor / unit.factor, 1)
                           ) AS quantity
                      FROM sale_order_line_invoice_rel link
                      JOIN account_move_line item ON item.id = link.invoice_line_id
                      JOIN account_move move ON move.id = item.move_id
                      LEFT JOIN uom_uom unit ON unit.id = line.product_uom_id
                      LEFT JOIN uom_uom item_unit ON item_unit.id = item.product_uom_id
                     WHERE link.order_line_id = line.id AND move.state = 'draft'
                       AND move.move_type IN ('out_invoice', 'out_refund')
                       AND move.commercial_partner_id = sale.partner_id
                  ) draft ON TRUE
                 WHERE company.root_id IN %(roots)s AND line.display_type IS NULL
            ), part AS (
                SELECT order_id, partner_id, root_id, home_id, currency_id,
                       SUM(CASE WHEN ordered > 0 THEN
                                 price_total * GREATEST(
                                  GREATEST(ordered, delivered) - posted, 0) / ordered
                                WHEN ordered < 0 THEN
                                 price_total * LEAST(
                                  LEAST(ordered, delivered) - posted, 0) / ordered
                                ELSE net_price * GREATEST(delivered - posted, 0) END) AS amount
                  FROM counted
                 WHERE is_downpayment IS NOT TRUE
                 GROUP BY 1, 2, 3, 4, 5
                 UNION ALL
                SELECT counted.order_id, counted.partner_id, counted.root_id, counted.home_id,
                       item.currency_id,
                       SUM(CASE move.move_type WHEN 'out_invoice' THEN -1 ELSE 1 END
                           * item.price_total)
                  FROM counted
                  JOIN sale_order_line_invoice_rel link ON link.order_line_id = counted.line_id
                  JOIN account_move_line item ON item.id = link.invoice_line_id
                  JOIN account_move move ON move.id = item.move_id
                 WHERE counted.is_downpayment AND move.state = 'posted'
                   AND move.move_type IN ('out_invoice', 'out_refund')
                 GROUP BY 1, 2, 3, 4, 5
            ), rate AS MATERIALIZED (
                SELECT root_id, currency_id, home.rounding,
                       CASE WHEN currency_id = home.id THEN 1
                            ELSE %(home_rate)s / %(own_rate)s END AS rate
                  FROM (SELECT DISTINCT root_id, home_id, currency_id FROM part) asked
                  JOIN res_currency home ON home.id = asked.home_id
            ), open_amount AS (
                SELECT root_id, partner_id, rounding, SUM(amount * rate) AS amount
                  FROM part JOIN rate USING (root_id, currency_id)
                 GROUP BY order_id, 1, 2, 3
            )
            SELECT root_id AS company_id, partner_id,
                   SUM(ROUND(amount / rounding) * rounding) AS amount
              FROM open_amount
             WHERE amount > 0
             GROUP BY 1, 2
            """,
            of_draft=of_draft,
            of_customer=of_customer,
            roots=tuple(companies.root_id.ids) or (0,),
            home_rate=_rate_sql(SQL("home.id"), date),
            own_rate=_rate_sql(SQL("asked.currency_id"), date),
        )


def _rate_sql(currency, date):
    """The rate of the currency at the date for a root company, as ``_get_rates`` of core."""
    return SQL(
        """COALESCE(
            (SELECT rate FROM res_currency_rate
              WHERE currency_id = %(currency)s AND name <= %(date)s
                AND COALESCE(company_id, asked.root_id) = asked.root_id
              ORDER BY company_id, name DESC LIMIT 1),
            (SELECT rate FROM res_currency_rate
              WHERE currency_id = %(currency)s
                AND COALESCE(company_id, asked.root_id) = asked.root_id
              ORDER BY company_id, name LIMIT 1),
            1)""",
        currency=currency,
        date=date,
    )
