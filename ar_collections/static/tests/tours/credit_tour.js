import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const openInvoice = [
    {
        content: "open the draft invoice",
        trigger: ".o_data_row:contains(Held Customer) td[name=invoice_partner_display_name]",
        run: "click",
    },
];

registry.category("web_tour.tours").add("ar_collections_request_release", {
    url: "/odoo/customer-invoices",
    steps: () => [
        ...openInvoice,
        {
            content: "the banner tells why",
            trigger: ".alert-danger:contains(Court case opened)",
        },
        {
            content: "try to confirm it all the same",
            trigger: ".o_form_statusbar button[name=action_post]",
            run: "click",
        },
        {
            content: "the error tells why as well",
            trigger: ".modal:contains(stopped by credit control):contains(Court case opened)",
        },
        {
            content: "close the error",
            trigger: ".modal footer button",
            run: "click",
        },
        {
            content: "ask for the release",
            trigger: "body:not(:has(.modal)) button[name=action_request_credit_release]",
            run: "click",
        },
        {
            content: "it was asked for, and cannot be asked for twice",
            trigger:
                ".o_form_view:not(:has(button[name=action_request_credit_release])) .alert-info:contains(Release requested)",
        },
    ],
});

registry.category("web_tour.tours").add("ar_collections_release", {
    url: "/odoo",
    steps: () => [
        stepUtils.showAppsMenuItem(),
        {
            content: "open the app",
            trigger: ".o_app[data-menu-xmlid='ar_collections.menu_root']",
            run: "click",
        },
        {
            content: "open the credit menu",
            trigger: "[data-menu-xmlid='ar_collections.menu_credit']",
            run: "click",
        },
        {
            content: "see what is held",
            trigger: "[data-menu-xmlid='ar_collections.ar_credit_release_menu']",
            run: "click",
        },
        {
            content: "open what waits",
            trigger: ".o_data_row:contains(Held Customer):contains(Requested) td[name=document_name]",
            run: "click",
        },
        {
            content: "the reasons are there",
            trigger: ".o_field_widget[name=reasons]:contains(Court case opened)",
        },
        {
            content: "say why",
            trigger: ".o_field_widget[name=decision_note] input",
            run: "edit Paid in advance by the court",
        },
        {
            content: "release it",
            trigger: ".o_form_statusbar button[name=action_approve]",
            run: "click",
        },
        {
            content: "it is approved",
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Approved)",
        },
    ],
});

registry.category("web_tour.tours").add("ar_collections_confirm_released", {
    url: "/odoo/customer-invoices",
    steps: () => [
        ...openInvoice,
        {
            content: "the release is told",
            trigger: ".alert-success:contains(can be confirmed now)",
        },
        {
            content: "confirm it",
            trigger: ".o_form_statusbar button[name=action_post]",
            run: "click",
        },
        {
            content: "it is posted",
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Posted)",
        },
    ],
});

registry.category("web_tour.tours").add("ar_collections_ask_for_more", {
    steps: () => [
        {
            content: "no limit any more",
            trigger: ".o_field_widget[name=limit_mode] .o_radio_item:contains(Unlimited) input",
            run: "click",
        },
        {
            content: "save",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "the refusal offers a review",
            trigger: ".modal:contains(submit a review) button:contains(Submit a Review)",
            run: "click",
        },
        {
            content: "the review asks for what was refused",
            trigger:
                "body:not(:has(.modal)) .o_field_widget[name=limit_mode] .o_radio_item:contains(Unlimited) input:checked",
        },
        {
            content: "what it is for",
            trigger: ".o_form_view .o_field_widget[name=name]:contains(CR/)",
        },
    ],
});
