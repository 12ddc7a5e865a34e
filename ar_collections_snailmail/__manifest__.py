{
    "name": "Collection Letters by Post",
    "summary": "Collection letters sent by Odoo's post service",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "author": "ar_collections contributors",
    "license": "LGPL-3",
    "depends": ["ar_collections", "snailmail"],
    "data": ["views/collection_action.xml"],
    "auto_install": True,
}
