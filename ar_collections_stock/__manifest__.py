{
    "name": "Credit Hold of Deliveries",
    "summary": "Deliveries to customers on credit hold wait for a release",
    "version": "19.0.1.0.0",
    "category": "Inventory/Delivery",
    "author": "ar_collections contributors",
    "license": "LGPL-3",
    "depends": ["ar_collections", "stock"],
    "data": ["views/stock_picking.xml"],
    "auto_install": True,
}
