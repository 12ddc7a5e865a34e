def migrate(cr, version):
    """The settings show no thresholds of the early warning any more.

    The page that showed them is checked with the page that it extends, before it is loaded anew.
    """
    cr.execute(
        """
        UPDATE ir_ui_view view SET arch_db = '{"en_US": "<data/>"}'
          FROM ir_model_data data
         WHERE data.module = 'ar_collections' AND data.model = 'ir.ui.view'
           AND data.name = 'res_config_settings_view_form_credit' AND data.res_id = view.id
        """
    )
