"""The debit side of a write-off: plain functions of plain values.

What is given up of an invoice is spread over the lines that made it, so that analytic accounts
and taxes get their shares; a tax that may be claimed back, or was never due, leaves the loss.
"""

from typing import NamedTuple

# What an amount is debited to.
LOSS, TAX, WAITING_TAX = "loss", "tax", "waiting_tax"


class Share(NamedTuple):
    """One line of an invoice, as a weight of what is given up of it."""

    # LOSS for the goods, TAX for a tax due by invoice, WAITING_TAX for one due when paid.
    kind: str
    weight: float
    # Of the goods: {account ids: percent}, as stored.
    analytic: object = None
    # Of the goods: ids of the taxes due by invoice.
    tax_ids: tuple = ()
    # Of a tax: the id of its repartition line, and the account on which it stands.
    repartition_id: int = None
    account_id: int = None


class Part(NamedTuple):
    """What is debited together."""

    kind: str
    analytic: object = None
    tax_ids: tuple = ()
    repartition_id: int = None
    account_id: int = None


def split(amount, weights, round_amount):
    """Spread an amount so that the parts add up to it; the largest takes what rounding leaves.

    :param weights: any numbers that do not add up to zero
    :param round_amount: rounds to the currency
    """
    total = sum(weights)
    parts = [round_amount(amount * weight / total) for weight in weights]
    largest = max(range(len(parts)), key=lambda index: abs(weights[index]))
    parts[largest] = round_amount(parts[largest] + amount - sum(parts))
    return parts


def spread(amount, shares, with_relief, round_amount):
    """What an amount given up of one document is debited to.

    :param shares: list of :class:`Share`, empty for a document without lines of its own
    :param with_relief: whether taxes due by invoice are claimed back
    :return: list of ``(Part, amount)``
    """

    def leaves_loss(share):
        return share.kind == WAITING_TAX or (share.kind == TAX and with_relief)

    goods = [share for share in shares if share.kind == LOSS]
    if not goods or abs(sum(share.weight for share in shares)) < 1e-9:
        return [(Part(LOSS), amount)]
    apart = [share for share in shares if leaves_loss(share)]
    rest = sum(share.weight for share in shares) - sum(share.weight for share in apart)
    amounts = split(amount, [rest, *(share.weight for share in apart)], round_amount)
    goods_weight = sum(share.weight for share in goods)
    if abs(goods_weight) < 1e-9:
        losses = [(Part(LOSS), amounts[0])]
    else:
        losses = [
            (Part(LOSS, share.analytic, share.tax_ids if with_relief else ()), part)
            for share, part in zip(
                goods,
                split(amounts[0], [share.weight for share in goods], round_amount),
                strict=True,
            )
        ]
    return losses + [
        (
            Part(share.kind, repartition_id=share.repartition_id, account_id=share.account_id),
            part,
        )
        for share, part in zip(apart, amounts[1:], strict=True)
    ]
