{
    "name": "Credit Control in the Shop",
    "summary": "Customers stopped by the credit control pay at once",
    "version": "19.0.1.0.0",
    "category": "Website/Website",
    "author": "ar_collections contributors",
    "license": "LGPL-3",
    "depends": ["ar_collections_sale", "website_sale"],
    "data": ["views/payment.xml"],
    "auto_install": True,
}
