from . import allowance, portal, portal_application, portal_forms, portal_papers, portal_payment
