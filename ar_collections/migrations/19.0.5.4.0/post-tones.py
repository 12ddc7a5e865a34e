from odoo import SUPERUSER_ID, api

TONES = {
    "mail_template_reminder": "awareness",
    "mail_template_second_reminder": "decision",
    "mail_template_final_demand": "consequence",
    "sms_template_reminder": "awareness",
}


def migrate(cr, version):
    """The shipped texts have a tone, by which steps find them."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    for name, tone in TONES.items():
        if text := env.ref(f"ar_collections.{name}", raise_if_not_found=False):
            text.ar_tone = text.ar_tone or tone
