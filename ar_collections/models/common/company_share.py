def get_company_share(item, amount):
    """What a part of an open item is worth in company currency, to the cent.

    All of what is open is worth all of what is open, so that nothing is left over. Of an item
    that is settled the rate is that of its booking.

    :param item: journal item, or none
    :param amount: in the currency of the item
    """
    whole, worth = item.amount_residual_currency, item.amount_residual
    if not whole:
        whole, worth = item.amount_currency, item.balance
    if not whole:
        return 0.0
    if not item.currency_id.compare_amounts(amount, whole):
        return worth
    return item.company_currency_id.round(worth * amount / whole)
