"""What the law of each country says of claims, as records: limitation, interest, terms, papers."""

from . import country_rule, country_claim, country_rate, country_words, res_company
