from collections import Counter, defaultdict
from typing import NamedTuple

from markupsafe import Markup

from odoo import SUPERUSER_ID, api, models
from odoo.fields import Domain

COLLECTOR = "ar_collections.group_collector"
MANAGER = "ar_collections.group_credit_manager"
# What decides whether somebody works for a company, and as what.
ACCESS_FIELDS = ("active", "company_ids", "group_ids")
# Who takes over is told once, not of each record.
TOLD_ONCE = {"mail_activity_quick_update": True, "mail_auto_subscribe_no_notify": True}


class Post(NamedTuple):
    """Something to be in charge of: the field that says who is, where it is not over."""

    model: str
    field: str
    domain: list
    # Without this group nobody can do it; any colleague when there is none.
    group: str | None = None


class Move(NamedTuple):
    """What somebody who left was in charge of, and who is now; nobody is an empty user."""

    company: models.BaseModel
    leaver: models.BaseModel
    successor: models.BaseModel
    records: models.BaseModel


class ResUsers(models.Model):
    """Who works for a company, and who is next when somebody has left.

    Somebody has left a company who is archived, has no access to it any more, or has lost the
    group that a post needs. Whoever comes back gets nothing back: it is somebody else's now.
    """

    _inherit = "res.users"

    def write(self, vals):
        # EXTENDS base: who leaves hands over at once
        result = super().write(vals)
        if self and not vals.keys().isdisjoint(ACCESS_FIELDS):
            self._ar_hand_over(users=self)
        return result

    def action_archive(self):
        # EXTENDS mail, which deletes the activities of who leaves: ours are handed over before
        self.filtered("active").active = False
        return super().action_archive()

    def unlink(self):
        # EXTENDS base: who is deleted leaves before
        self.filtered(lambda user: user.active and not user.share).active = False
        return super().unlink()

    # Who is there

    def _ar_at_work(self, company, group=COLLECTOR):
        """Those of these users who work for a company.

        :param company: any, when it is empty
        :param group: XML id of what they have to be, nothing for any colleague
        """
        # Who works where, and as what, is not a secret of the users' administration.
        return self.filtered(
            lambda user: (
                (known := user.sudo()).active
                and not known.share
                and (not company or company.root_id in known.company_ids.root_id)
                and (not group or known.has_group(group))
            )
        )

    def _ar_or_next(self, company, group=COLLECTOR):
        """The first of these users who works for a company, or else its credit manager."""
        return self._ar_at_work(company, group)[:1] or self._ar_get_manager(company)

    @api.model
    def _ar_get_responsible(self, company, people):
        """Who is told of each of many records, asked once for the same users.

        :param people: ``{record: users}``, the nearest first
        :return: ``{record: user}``, see ``_ar_or_next``
        """
        chosen = {users: users._ar_or_next(company) for users in set(people.values())}
        return {record: chosen[users] for record, users in people.items()}

    @api.model
    def _ar_get_manager(self, company, barred=None):
        """Who is next when nobody else is: the credit manager, or the first who could be.

        :param barred: users who may not
        :return: a user, none when the company has no credit manager at all
        """
        barred = self.browse() if barred is None else barred
        chosen = company.sudo().ar_credit_manager_id.with_env(self.env) - barred
        if chosen := chosen._ar_at_work(company, MANAGER):
            return chosen
        managers = self.env.ref(MANAGER).sudo().all_user_ids.with_env(self.env) - barred
        return managers._ar_at_work(company, MANAGER).sorted("id")[:1]

    @api.model
    def _ar_get_administrators(self, company):
        """Who sets up what a company needs to send."""
        administrators = self.env.ref("base.group_system").sudo().all_user_ids.with_env(self.env)
        return administrators._ar_at_work(company, None).sorted("id")

    @api.model
    def _ar_get_somebody(self, company):
        """Who gets what nobody else is there for: the credit manager, or an administrator."""
        return self._ar_get_manager(company) or self._ar_get_administrators(company)[:1]

    # Handing over

    @api.model
    def _ar_get_posts(self):
        """The posts that are handed over, in this order: list of :class:`Post`.

        A hook: each wing adds those of its own models.
        """
        return []

    @api.model
    def _ar_get_next(self, company, records, field):
        """Who is next for records of a company.

        A hook: whose models have somebody nearer says so.

        :param field: the post, or ``activity_ids`` for what is to be done on the records
        :return: ``{record: user}``, nobody for records that wait for somebody to be chosen
        """
        if records._name == "ar.credit.release":
            return {
                record: record._get_deciders()[:1] or self._ar_get_manager(company)
                for record in records
            }
        if hasattr(records, "_get_askers"):
            # What somebody asked for is decided by somebody else.
            return {
                record: self._ar_get_manager(company, record._get_askers())
                or self._ar_get_manager(company)
                for record in records
            }
        return dict.fromkeys(records, self._ar_get_manager(company))

    @api.model
    def _ar_hand_over(self, users=None, companies=None):
        """Who has left a company hands over to who is next; nothing when nobody has.

        Whoever takes over is told by one activity for each person who left.

        :param users: who may have left, by default everybody
        :param companies: root companies, by default all
        """
        # Who archives a user has no rights on what that user did.
        house = self.sudo().with_context(**TOLD_ONCE)
        companies = companies or house.env["res.company"].search([("parent_id", "=", False)])
        companies = companies.with_env(house.env)
        users = users and users.with_env(house.env)
        moves = house._ar_replace_managers(users, companies)
        for post in house._ar_get_posts():
            moves += house._ar_hand_over_post(post, users, companies)
        moves += house._ar_hand_over_activities(users, companies)
        leavers = house.union(*(move.leaver for move in moves))
        house._ar_unfollow(leavers | users if users else leavers, companies)
        house._ar_tell_successors(moves)

    @api.model
    def _ar_replace_managers(self, users, companies):
        """Companies whose credit manager has left get the next one."""
        moves = []
        for company in companies:
            manager = company.ar_credit_manager_id
            if (
                manager
                and (not users or manager in users)
                and not manager._ar_at_work(company, MANAGER)
            ):
                company.ar_credit_manager_id = self._ar_get_manager(company)
                moves.append(Move(company, manager, company.ar_credit_manager_id, company))
        return moves

    @api.model
    def _ar_hand_over_post(self, post, users, companies):
        """Hand over one post of whoever has left.

        :return: list of :class:`Move`
        """
        model = self.env[post.model].with_context(active_test=False)
        domain = Domain(post.domain) & Domain(post.field, "!=", False)
        # What all companies share is left by who is in none.
        domain &= Domain("company_id", "in", [*companies.ids, False])
        if users:
            domain &= Domain(post.field, "in", users.ids)
        moves = []
        for company, holder in model._read_group(domain, ["company_id", post.field]):
            if holder._ar_at_work(company, post.group):
                continue
            records = model.search(
                domain & Domain("company_id", "=", company.id) & Domain(post.field, "=", holder.id)
            )
            successors = self._ar_get_next(company, records, post.field)
            for successor, same in records.grouped(successors.get).items():
                same[post.field] = successor
                moves.append(Move(company, holder, successor, same))
        return moves

    @api.model
    def _ar_get_watched_models(self):
        """Our models that people follow and have activities on, of one company each."""
        return [
            name
            for name, model in self.env.registry.items()
            if name.startswith("ar.")
            and not model._abstract
            and "message_follower_ids" in model._fields
            and "company_id" in model._fields
        ]

    def _ar_get_blind(self, company, model):
        """Those of these users who cannot see the records of a model in a company any more."""
        seeing = self._ar_at_work(company, None).filtered(
            lambda user: self.env[model].with_user(user).has_access("read")
        )
        return self - seeing

    @api.model
    def _ar_hand_over_activities(self, users, companies):
        """Hand over what is left to do of whoever has left.

        :return: list of :class:`Move`
        """
        activities = self.env["mail.activity"]
        domain = Domain("res_model", "in", self._ar_get_watched_models())
        domain &= Domain("user_id", "in", users.ids) if users else Domain("user_id", "!=", False)
        moves = []
        for model, holders in activities._read_group(domain, ["res_model"], ["user_id:recordset"]):
            for company in companies:
                blind = holders._ar_get_blind(company, model)
                if not blind:
                    continue
                records = self.env[model].with_context(active_test=False)
                left = activities.search(
                    [
                        ("res_model", "=", model),
                        ("user_id", "in", blind.ids),
                        ("res_id", "in", records._search([("company_id", "=", company.id)])),
                    ]
                )
                records = records.browse(set(left.mapped("res_id")))
                successors = self._ar_get_next(company, records, "activity_ids")
                for (holder, successor), same in left.grouped(
                    lambda activity, records=records, successors=successors: (
                        activity.user_id,
                        successors[records.browse(activity.res_id)],
                    )
                ).items():
                    if kept := self._ar_drop_doubles(same, successor):
                        kept.user_id = successor
                        moves.append(Move(company, holder, successor, kept))
        return moves

    @api.model
    def _ar_drop_doubles(self, activities, successor):
        """Nobody is asked twice for the same: several may have been asked to decide.

        :return: the activities that are not there yet
        """
        known = {
            (activity.res_id, activity.activity_type_id, activity.summary)
            for activity in activities.search(
                [
                    ("res_model", "in", activities.mapped("res_model")),
                    ("res_id", "in", activities.mapped("res_id")),
                    ("user_id", "=", successor.id),
                ]
            )
        }
        doubles = activities.filtered(
            lambda activity: (activity.res_id, activity.activity_type_id, activity.summary) in known
        )
        doubles.unlink()
        return activities - doubles

    @api.model
    def _ar_unfollow(self, users, companies):
        """Nobody is written to about what they cannot see any more.

        :param users: who may have left; whoever is archived has
        """
        archived = self.search(
            [("active", "=", False), ("share", "=", False), ("id", "!=", SUPERUSER_ID)]
        )
        # Whoever has another user is still here.
        people = {
            user.partner_id: user
            for user in archived | users
            if not user.partner_id.with_context(active_test=True).user_ids - user
        }
        followers = self.env["mail.followers"]
        for model, partners in followers._read_group(
            [
                ("res_model", "in", self._ar_get_watched_models()),
                ("partner_id", "in", [partner.id for partner in people]),
            ],
            ["res_model"],
            ["partner_id:recordset"],
        ):
            following = self.union(*(people[partner] for partner in partners))
            records = self.env[model].with_context(active_test=False)
            for company in companies:
                if blind := following._ar_get_blind(company, model):
                    followers.search(
                        [
                            ("res_model", "=", model),
                            ("partner_id", "in", blind.partner_id.ids),
                            ("res_id", "in", records._search([("company_id", "=", company.id)])),
                        ]
                    ).unlink()

    @api.model
    def _ar_tell_successors(self, moves):
        """One activity for each who left and who takes over, with what and how much it is."""
        taken = defaultdict(Counter)
        for company, leaver, successor, records in moves:
            # What the system did in nobody's name was nobody's.
            if leaver.id != SUPERUSER_ID:
                told = successor or self._ar_get_manager(company)
                taken[leaver, told][records._name, not successor] += len(records)
        activities = self.env["mail.activity"]
        values = []
        for (leaver, told), counts in taken.items():
            if told:
                told_self = self.with_context(lang=told.lang)
                values.append(
                    {
                        "activity_type_id": self.env.ref("mail.mail_activity_data_todo").id,
                        "automated": True,
                        "summary": told_self.env._("Taken over from %s", leaver.name),
                        "note": told_self._ar_get_hand_over_note(counts),
                        "date_deadline": told.company_id._ar_today(),
                        "user_id": told.id,
                    }
                )
        activities.create(values)

    @api.model
    def _ar_get_hand_over_note(self, counts):
        """What was taken over, a line for each kind.

        :param counts: ``{(model, nobody has it now): number}``
        """
        lines = []
        for (model, is_free), count in counts.items():
            if model == "res.company":
                field = self.env[model]._fields["ar_credit_manager_id"]
                name = field._description_string(self.env)
            else:
                name = self.env["ir.model"]._get(model).name
            line = f"{count} × {name}"
            lines.append(self.env._("%s, which nobody has now", line) if is_free else line)
        return Markup("<br/>").join(lines)
