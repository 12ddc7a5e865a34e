from . import allowance, portal, portal_forms, portal_papers, portal_payment
