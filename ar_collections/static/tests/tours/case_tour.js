import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const inDays = (days) => luxon.DateTime.now().plus({ days }).toFormat("MM/dd/yyyy");

const openCase = [
    stepUtils.showAppsMenuItem(),
    {
        content: "open the app",
        trigger: ".o_app[data-menu-xmlid='ar_collections.menu_root']",
        run: "click",
    },
    {
        content: "open the case",
        trigger: ".o_data_row:contains(Late Customer) td[name=partner_id]",
        run: "click",
    },
    {
        content: "the overdue invoice is listed",
        trigger: ".o_field_widget[name=open_item_ids] .o_data_row",
    },
];

registry.category("web_tour.tours").add("ar_collections_case_call", {
    url: "/odoo",
    steps: () => [
        ...openCase,
        {
            content: "call",
            trigger: ".o_form_statusbar button[name=action_log_call]",
            run: "click",
        },
        {
            content: "choose the outcome",
            trigger: ".modal .o_field_widget[name=outcome] input",
            run: "click",
        },
        {
            content: "they were reached",
            trigger: ".o_select_menu_item:contains(Reached)",
            run: "click",
        },
        {
            content: "look for the excuse",
            trigger: ".modal .o_field_widget[name=excuse_id] input",
            run: "edit Our own customer",
        },
        {
            content: "pick it",
            trigger: ".o-autocomplete--dropdown-item:contains(Our own customer)",
            run: "click",
        },
        {
            content: "what they will pay",
            trigger: ".modal .o_field_widget[name=promise_amount] input",
            run: "edit 1000",
        },
        {
            content: "when",
            trigger: ".modal .o_field_widget[name=promise_date] button, .modal .o_field_widget[name=promise_date] input",
            run: "click",
        },
        {
            content: "enter the day",
            trigger: ".modal .o_field_widget[name=promise_date] input",
            run: `edit ${inDays(5)}`,
        },
        {
            content: "the call is done",
            trigger: ".modal button[name=action_done]",
            run: "click",
        },
        {
            content: "the case shows the promise",
            trigger: "body:not(:has(.modal)) .o_field_widget[name=promise_state]:contains(Awaited)",
        },
    ],
});

registry.category("web_tour.tours").add("ar_collections_case_letter_and_plan", {
    url: "/odoo",
    steps: () => [
        ...openCase,
        {
            content: "the promise was broken",
            trigger: ".o_field_widget[name=promise_state]:contains(Broken)",
        },
        {
            content: "write a letter",
            trigger: "button[name=action_write_letter]",
            run: "click",
        },
        {
            content: "the letter of the policy is proposed",
            trigger: ".modal button[name=action_write]",
            run: "click",
        },
        {
            content: "look at it first",
            trigger: "body:not(:has(.modal)) .o_form_statusbar button[name=action_preview]",
            run: "click",
        },
        {
            content: "it is what the customer will read",
            trigger: ".modal .o_field_widget[name=subject]:contains(1,000.00)",
        },
        {
            content: "send it",
            trigger: ".modal footer button[name=action_send]",
            run: "click",
        },
        {
            content: "it is sent",
            trigger: "body:not(:has(.modal)) .o_statusbar_status .o_arrow_button_current:contains(Done)",
        },
        {
            content: "back to the case",
            trigger: ".o_breadcrumb a:contains(Late Customer), .o_breadcrumb .o_back_button:contains(Late Customer)",
            run: "click",
        },
        {
            content: "agree on instalments",
            trigger: "button[name=action_plan]",
            run: "click",
        },
        {
            content: "make them",
            trigger: "button[name=action_distribute]",
            run: "click",
        },
        {
            content: "there are three",
            trigger: ".o_field_widget[name=line_ids] .o_data_row:eq(2)",
        },
        {
            content: "send the plan to the customer",
            trigger: "button[name=action_propose]",
            run: "click",
        },
        {
            content: "the customer has it",
            trigger: ".o_statusbar_status .o_arrow_button_current:contains(Proposed)",
        },
    ],
});

registry.category("web_tour.tours").add("ar_collections_case_closed", {
    steps: () => [
        {
            content: "the case is closed",
            trigger: ".ribbon:contains(Closed)",
        },
        {
            content: "because the customer paid",
            trigger: ".o_field_widget[name=close_reason]:contains(Paid)",
        },
    ],
});
