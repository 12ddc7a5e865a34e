{
    "name": "Credit Control of Sales Orders",
    "summary": "Orders pass the credit control and count in the exposure",
    "version": "19.0.1.1.0",
    "category": "Sales/Sales",
    "author": "ar_collections contributors",
    "license": "LGPL-3",
    "depends": ["ar_collections", "sale"],
    "data": [
        "views/sale_order.xml",
        "views/sale_portal.xml",
        "data/ledger_index.xml",
    ],
    "post_init_hook": "post_init_hook",
    "uninstall_hook": "uninstall_hook",
    "auto_install": True,
}
