import base64

from odoo import fields, models
from odoo.exceptions import AccessError, UserError

from .credit_rating_file import FileError, read_rows

KEYS = [
    ("vat", "Tax number"),
    ("company_registry", "Company registry number"),
    ("ref", "Customer number"),
]
# More than this is not read by anybody.
SHOWN_PROBLEMS = 30


class ArCreditRatingProvider(models.Model):
    """Where external ratings come from.

    A module adds a provider by a ``kind`` and a method ``_fetch_rating_<kind>(partner)``. One that
    gets many ratings at once also has ``_fetch_ratings_<kind>(partners)``.
    """

    _name = "ar.credit.rating.provider"
    _description = "Provider of External Ratings"
    _order = "name, id"

    name = fields.Char(required=True, help="The bureau; shown as the source of its ratings.")
    active = fields.Boolean(default=True)
    kind = fields.Selection(
        [("file", "File from the bureau")], default="file", required=True, string="Type"
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        default=lambda self: self.env.company.root_id,
        domain=[("parent_id", "=", False)],
    )
    criterion_id = fields.Many2one(
        "ar.credit.criterion",
        required=True,
        ondelete="restrict",
        domain="[('kind', '=', 'external'), ('company_id', 'in', (company_id, False))]",
        default=lambda self: self.env["ar.credit.rating"]._default_criterion(),
    )
    file = fields.Binary(attachment=True, help="CSV (UTF-8 or GB 18030) or XLSX.")
    file_name = fields.Char()
    key = fields.Selection(
        KEYS,
        string="Customers Are Found By",
        default="vat",
        required=True,
        help="What the column “key” of the file holds.",
    )
    last_update = fields.Date(readonly=True)

    # The interface

    def _fetch_rating(self, partner):
        """What the bureau says of one customer now.

        :param partner: a commercial partner
        :return: ``{"rating", "date", "valid_until", "reference"}`` or ``None``; the rating is a
            label of the criterion, the dates are dates, the last two may be ``None``
        """
        self.ensure_one()
        return getattr(self, f"_fetch_rating_{self.kind}")(partner.commercial_partner_id)

    def _fetch_ratings(self, partners):
        """What the bureau says of many customers: ``{partner id: see _fetch_rating}``."""
        self.ensure_one()
        at_once = getattr(self, f"_fetch_ratings_{self.kind}", None)
        if at_once:
            return at_once(partners)
        found = {partner.id: self._fetch_rating(partner) for partner in partners}
        return {id_: rating for id_, rating in found.items() if rating}

    def action_update_ratings(self):
        """Take over the ratings of all customers of the company that the bureau knows."""
        if not self.env.user.has_group("ar_collections.group_credit_manager"):
            raise AccessError(self.env._("External ratings are updated by a credit manager."))
        self.check_access("write")
        created = sum(len(provider._update_ratings()) for provider in self)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("%s new ratings.", created),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _update_ratings(self):
        """Create the ratings that are new; the same again changes nothing."""
        files = self.env["ar.credit.file"].search([("company_id", "=", self.company_id.id)])
        fetched = self._fetch_ratings(files.partner_id)
        ratings = self.env["ar.credit.rating"]
        compared = ("partner_id", "rating", "date", "valid_until", "reference")
        scope = {"company_id": self.company_id.id, "criterion_id": self.criterion_id.id}
        known = {
            tuple(row[name] or None for name in compared)
            for row in ratings.search_read(
                [
                    *((name, "=", id_) for name, id_ in scope.items()),
                    ("partner_id", "in", [*fetched]),
                ],
                compared,
                load=None,
            )
        }
        new = [
            {"partner_id": partner_id, **found, **scope, "source": self.name}
            for partner_id, found in fetched.items()
        ]
        self.last_update = self.company_id._ar_today()
        return ratings.create(
            [row for row in new if tuple(row.get(name) or None for name in compared) not in known]
        )

    # The provider that reads a file

    def _fetch_rating_file(self, partner):
        return self._fetch_ratings_file(partner).get(partner.id)

    def _fetch_ratings_file(self, partners):
        """The rows of the file; one wrong row and none of them counts.

        Customers need no credit file to be found: ``partners`` is not looked at.
        """
        if not self.file:
            raise UserError(self.env._("Upload the file of the bureau first."))
        try:
            rows = read_rows(base64.b64decode(self.file))
        except FileError as error:
            raise UserError(self._explain_problem(error.code, *error.values)) from error
        customers = self._get_customers_by_key([row.key for row in rows])
        labels = self.criterion_id._get_bands_by_label()
        ratings, problems, lines = {}, [], {}
        for row in rows:
            errors = [self._explain_problem(*problem) for problem in row.problems]
            found = customers.get(row.key, ())
            if row.key and len(found) != 1:
                code = "ambiguous" if found else "unknown_customer"
                errors.append(self._explain_problem(code, row.key))
            if row.key in lines:
                errors.append(self._explain_problem("twice", row.key, lines[row.key]))
            elif row.key:
                lines[row.key] = row.line
            band = labels.get(row.rating.casefold())
            if row.rating and not band:
                errors.append(self._explain_problem("unknown_rating", row.rating))
            problems += [
                self.env._("Line %(line)s: %(problem)s", line=row.line, problem=error)
                for error in errors
            ]
            if not errors:
                ratings[found[0]] = {
                    "rating": row.rating,
                    "date": row.date,
                    "valid_until": row.valid_until,
                    "reference": row.reference or None,
                }
        if problems:
            shown = problems[:SHOWN_PROBLEMS]
            if len(problems) > SHOWN_PROBLEMS:
                shown.append(self.env._("and %s more.", len(problems) - SHOWN_PROBLEMS))
            raise UserError(
                self.env._(
                    "Nothing was taken over from %(file)s:\n%(problems)s",
                    file=self.file_name or self.name,
                    problems="\n".join(shown),
                )
            )
        return ratings

    def _get_customers_by_key(self, keys):
        """``{key: [ids of the customers that have it]}`` by one query."""
        partners = self.env["res.partner"].search_fetch(
            [
                (self.key, "in", list(filter(None, set(keys)))),
                ("parent_id", "=", False),
                ("company_id", "in", (self.company_id.id, False)),
            ],
            [self.key],
        )
        customers = {}
        for partner in partners:
            customers.setdefault(partner[self.key], []).append(partner.id)
        return customers

    def _explain_problem(self, code, *values):
        """A problem with the file or one of its rows, in words."""
        key = dict(self._fields["key"]._description_selection(self.env))[self.key]
        texts = {
            "format": lambda: self.env._("The file is neither CSV nor XLSX that can be read."),
            "empty": lambda: self.env._("The file has no rows."),
            "columns": lambda names: self.env._("The file lacks these columns: %s.", names),
            "no_key": lambda: self.env._("%s is missing.", key),
            "no_rating": lambda: self.env._("The rating is missing."),
            "no_date": lambda: self.env._("The date is missing."),
            "bad_date": lambda text: self.env._("%s is not a date such as 2030-06-30.", text),
            "order": lambda: self.env._("The rating ends before its date."),
            "unknown_customer": lambda value: self.env._(
                "No customer has the %(key)s %(value)s.", key=key.lower(), value=value
            ),
            "ambiguous": lambda value: self.env._(
                "Several customers have the %(key)s %(value)s.", key=key.lower(), value=value
            ),
            "twice": lambda value, line: self.env._(
                "%(value)s is on line %(line)s already.", value=value, line=line
            ),
            "unknown_rating": lambda value: self.env._(
                "%(rating)s is not a rating of “%(criterion)s”.",
                rating=value,
                criterion=self.criterion_id.name,
            ),
        }
        return texts[code](*values)
