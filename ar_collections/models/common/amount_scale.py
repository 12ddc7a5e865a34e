"""Amounts that fit a currency: plain functions of plain values."""

from math import floor, log10

# What somebody would write down: of each power of ten.
FRIENDLY = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9, 10)


def scale(amount, ratio):
    """An amount for another currency, as a friendly figure: 2,000 x 151.3 is 300,000.

    :param ratio: of the two currencies; an amount of the same currency stays as it is
    """
    if not amount or ratio == 1:
        return amount
    size = 10 ** floor(log10(abs(amount * ratio)))
    units = abs(amount * ratio) / size
    figure = min(FRIENDLY, key=lambda each: abs(each - units)) * size
    # Powers below one are no exact numbers.
    return round(figure if amount > 0 else -figure, 6)


def scale_domain(domain, ratio, fields):
    """A domain whose comparisons of amounts with numbers are in another currency.

    :param domain: list of conditions and operators
    :param fields: ``{name: field}`` of the model that it searches
    """
    return [
        (leaf[0], leaf[1], scale(leaf[2], ratio)) if _is_amount(leaf, fields) else leaf
        for leaf in domain
    ]


def _is_amount(leaf, fields):
    if not isinstance(leaf, (list, tuple)) or not isinstance(leaf[2], (int, float)):
        return False
    field = fields.get(leaf[0])
    return bool(field) and field.type == "monetary"
