from markupsafe import Markup

from odoo import api, models
from odoo.tools import format_date, format_list, formatLang

from .country_claim import TOPICS


class ArCountryWords(models.AbstractModel):
    """A pack in plain words, made of its own values: what is read is what is done."""

    _name = "ar.country.words"
    _description = "A Country Pack in Words"

    @api.model
    def _get_page(self, rule):
        """A table of topic, sentence and source, as :class:`~markupsafe.Markup`."""
        topics = dict(rule.claim_ids._fields["topic"]._description_selection(self.env))
        claims = {claim.topic: claim for claim in rule.claim_ids}
        rows = [
            Markup(
                "<tr><th class='pe-3'>%s</th><td>%s</td><td class='text-muted ps-3'>%s</td></tr>"
            )
            % (topics[topic], self._get_text(rule, topic), self._get_source(claims.get(topic)))
            for topic in TOPICS
        ]
        return Markup("<table class='table table-sm'>%s</table>") % Markup("").join(rows)

    @api.model
    def _get_source(self, claim):
        """The source of a sentence; a sentence without one is the company's own."""
        if not claim:
            return self.env._("No source: the company's own setting")
        if claim.is_changed:
            return self.env._("Changed since the source was entered")
        if not claim.url:
            return claim.source
        return Markup("<a href='%s' target='_blank' rel='noopener'>%s</a>") % (
            claim.url,
            claim.source,
        )

    @api.model
    def _get_text(self, rule, topic):
        """The sentence of a topic."""
        return getattr(self, f"_say_{topic}")(rule)

    @api.model
    def _choice(self, rule, name):
        return dict(rule._fields[name]._description_selection(self.env))[rule[name]]

    # One sentence per topic

    @api.model
    def _say_limitation(self, rule):
        if not rule.limitation_years:
            return self.env._("No clock is kept.")
        texts = {
            "due": self.env._(
                "A claim is barred %s years after its due date.", rule.limitation_years
            ),
            "year_end": self.env._(
                "A claim is barred %s years after the end of the year in which it was due.",
                rule.limitation_years,
            ),
        }
        return texts[rule.limitation_from]

    @api.model
    def _say_instalments(self, rule):
        if rule.limitation_by_debt:
            return self.env._(
                "The instalments of one invoice have one clock, from the last of them. What was "
                "written off stays watched."
            )
        return self.env._("Each instalment has its own clock. What was written off stays watched.")

    @api.model
    def _say_restart(self, rule):
        texts = [
            {
                "no": self.env._("A demand does not start the clock anew."),
                "proven": self.env._(
                    "A demand starts the clock anew when its arrival is proven by a receipt that "
                    "is noted on the contact; what was only sent is shown beside the clock."
                ),
                "sent": self.env._(
                    "A demand that was sent, or made to somebody, starts the clock anew."
                ),
            }[rule.demand_restarts]
        ]
        if rule.payment_restarts:
            texts.append(self.env._("A part payment starts it anew."))
        if rule.promise_restarts:
            texts.append(self.env._("A promise starts it anew."))
        texts.append(self.env._("An accepted plan and a signed acknowledgement start it anew."))
        texts.append(
            {
                "any": self.env._(
                    "A barred claim revives by a payment, a promise, a plan or an acknowledgement."
                ),
                "signed": self.env._(
                    "A barred claim revives only by a plan or an acknowledgement that the "
                    "customer signed, not by a payment or an oral promise."
                ),
            }[rule.revived_by]
        )
        return " ".join(texts)

    @api.model
    def _say_lawsuit(self, rule):
        texts = {
            "restart": self.env._("A lawsuit starts the clock anew on the day it is filed."),
            "restart_end": self.env._(
                "While a lawsuit lasts nothing is barred; the clock starts anew when it has ended."
            ),
            "suspend": self.env._(
                "A lawsuit stops the clock until %s months after its end.", rule.lawsuit_months
            ),
        }
        return texts[rule.lawsuit_effect]

    @api.model
    def _say_longest(self, rule):
        if not rule.limitation_longest:
            return self.env._("No longest period.")
        return self.env._(
            "Whatever started the clock anew, the end is %s years after the due date.",
            rule.limitation_longest,
        )

    @api.model
    def _say_enforcement(self, rule):
        if not rule.enforcement_years:
            return self.env._("A judgment starts the same clock anew.")
        return self.env._(
            "What a judgment grants can be enforced for %s years.", rule.enforcement_years
        )

    @api.model
    def _say_interest(self, rule):
        if not rule.rate_ids:
            return self.env._("No statutory rate: grades and customers have rates of their own.")
        texts = [self.env._("Base rate: %s.", rule.rate_name or self.env._("as entered"))]
        if rule.interest_share:
            texts.append(self.env._("%s %% of it come on top.", f"{rule.interest_share:g}"))
        if rule.interest_points:
            texts.append(self.env._("%s percentage points are added.", f"{rule.interest_points:g}"))
        texts.append(
            self.env._("The rate of the day of the breach counts.")
            if rule.interest_fixed
            else self.env._("The rate of each day counts.")
        )
        return " ".join(texts)

    @api.model
    def _say_rates(self, rule):
        if not rule.rate_ids:
            return self.env._("None.")
        return format_list(
            self.env,
            [
                self.env._(
                    "%(rate)s %% from %(day)s",
                    rate=f"{rate.rate:g}",
                    day=format_date(self.env, rate.date),
                )
                for rate in rule.rate_ids.sorted("date")
            ],
        )

    @api.model
    def _say_day_count(self, rule):
        return self._choice(rule, "day_count")

    @api.model
    def _say_lump_sum(self, rule):
        if not rule.lump_sum:
            return self.env._("None.")
        return self.env._(
            "%s once per late item, for information: it is not charged by itself.",
            formatLang(self.env, rule.lump_sum, currency_obj=rule.lump_sum_currency_id),
        )

    @api.model
    def _say_weekend(self, rule):
        if rule.due_on_working_day:
            return self.env._(
                "Who pays on the next working day after a due date on a day off has paid in time: "
                "no late charge, by the working hours and public holidays of the company."
            )
        return self.env._("A due date is a due date, on days off too.")

    @api.model
    def _say_term(self, rule):
        if not rule.longest_term:
            return self.env._("None.")
        return " ".join(
            filter(
                None,
                (
                    self.env._("%s days, for information.", rule.longest_term),
                    rule.term_note,
                ),
            )
        )

    @api.model
    def _say_hours(self, rule):
        if not rule.contact_to:
            return self.env._("None.")
        return self.env._(
            "Calls from %(start)s to %(end)s, for information.",
            start=self._format_hour(rule.contact_from),
            end=self._format_hour(rule.contact_to),
        )

    @api.model
    def _format_hour(self, hour):
        minutes = round(hour * 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}"

    @api.model
    def _say_tax(self, rule):
        if rule.tax_relief == "none":
            return self.env._(
                "The tax of an invoice that is not paid is not given back: the loss includes it, "
                "whatever the reason of the write-off says."
            )
        return self.env._("The reason of the write-off says whether the tax is claimed back.")

    @api.model
    def _say_papers(self, rule):
        return rule.papers or self.env._("None.")

    @api.model
    def _say_provision(self, rule):
        return rule.provision or self.env._("None.")

    @api.model
    def _say_demand(self, rule):
        return rule.demand_text or self.env._("None.")
