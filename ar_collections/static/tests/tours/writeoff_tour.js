import { registry } from "@web/core/registry";

const openRequest = {
    content: "open the request",
    trigger: ".o_data_row:contains(Tour Debtor) td[name=partner_id]",
    run: "click",
};

const hasStatus = (label) => ({
    content: `the request is ${label}`,
    trigger: `.o_statusbar_status .o_arrow_button_current:contains(${label})`,
});

const submit = [
    {
        content: "submit it",
        trigger: "button[name=action_submit]",
        run: "click",
    },
    hasStatus("To Approve"),
];

registry.category("web_tour.tours").add("ar_collections_writeoff_request", {
    url: "/odoo/collection-cases",
    steps: () => [
        {
            content: "open the case",
            trigger: ".o_kanban_record:contains(Tour Debtor), .o_data_row:contains(Tour Debtor) td",
            run: "click",
        },
        {
            content: "ask for a write-off",
            trigger: "button[name=action_write_off]",
            run: "click",
        },
        {
            content: "the risk is shown before it is submitted",
            trigger: ".o_field_widget[name=risk_html]:contains(/ 100)",
        },
        ...submit,
    ],
});

registry.category("web_tour.tours").add("ar_collections_writeoff_refuse", {
    url: "/odoo/write-offs-to-approve",
    steps: () => [
        openRequest,
        {
            content: "refuse it",
            trigger: "button[name=action_open_refuse]",
            run: "click",
        },
        {
            content: "a reason is needed",
            trigger: ".modal .o_field_widget[name=reason] textarea",
            run: "edit Explain what was tried",
        },
        {
            content: "confirm",
            trigger: ".modal button[name=action_refuse]",
            run: "click",
        },
        {
            content: "everybody sees why",
            trigger: ".alert-danger:contains(Explain what was tried)",
        },
    ],
});

registry.category("web_tour.tours").add("ar_collections_writeoff_resubmit", {
    url: "/odoo/write-offs",
    steps: () => [
        openRequest,
        {
            content: "explain",
            trigger: ".nav-link[name=note]",
            run: "click",
        },
        {
            content: "what was tried",
            trigger: ".o_field_widget[name=note] textarea",
            run: "edit Four calls, two letters, the shop is empty",
        },
        ...submit,
    ],
});

registry.category("web_tour.tours").add("ar_collections_writeoff_approve", {
    url: "/odoo/write-offs-to-approve",
    steps: () => [
        openRequest,
        {
            content: "approve it",
            trigger: "button[name=action_approve]",
            run: "click",
        },
        {
            content: "the approval is on the timeline",
            trigger: ".o_field_widget[name=timeline_html] .fa-check-circle",
        },
    ],
});

registry.category("web_tour.tours").add("ar_collections_writeoff_post", {
    url: "/odoo/write-offs",
    steps: () => [
        openRequest,
        {
            content: "post it",
            trigger: "button[name=action_post]",
            run: "click",
        },
        hasStatus("Posted"),
    ],
});

registry.category("web_tour.tours").add("ar_collections_writeoff_recover", {
    url: "/odoo/possible-recoveries",
    steps: () => [
        {
            content: "the payment is proposed",
            trigger: ".o_data_row:contains(Tour Debtor) button[name=action_ar_recover]",
            run: "click",
        },
        hasStatus("Recovered"),
    ],
});
