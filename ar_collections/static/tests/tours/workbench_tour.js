import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const inDays = (days) => luxon.DateTime.now().plus({ days }).toFormat("MM/dd/yyyy");

registry.category("web_tour.tours").add("ar_collections_worklist", {
    url: "/odoo",
    steps: () => [
        stepUtils.showAppsMenuItem(),
        {
            content: "open the app",
            trigger: ".o_app[data-menu-xmlid='ar_collections.menu_root']",
            run: "click",
        },
        {
            content: "the most urgent case comes first, and says why",
            trigger: ".o_data_row:first:contains(Tour Customer) td[name=priority_why]:contains(+)",
        },
        {
            content: "call from the row",
            trigger: ".o_data_row:contains(Tour Customer) button[name=action_log_call]",
            run: "click",
        },
        {
            content: "the call opens on what to know before it",
            trigger: ".modal .o_field_widget[name=prepare_contacts]:contains(Head of Finance)",
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
            content: "the answer has the live amount",
            trigger: ".modal .o_field_widget[name=excuse_script]:contains(1,000.00)",
        },
        {
            content: "and the questions are there",
            trigger: ".modal .o_field_widget[name=excuse_questions]:contains(Which amount)",
        },
        {
            content: "what they will pay",
            trigger: ".modal .o_field_widget[name=promise_amount] input",
            run: "edit 400",
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
            trigger: ".modal button[name=action_done_and_next]",
            run: "click",
        },
        {
            content: "the next case opens",
            trigger: "body:not(:has(.modal)) .o_form_view .oe_title:contains(Second Customer)",
        },
        {
            content: "look at it again in three days",
            trigger: "button[name=action_look_again_in_3_days]",
            run: "click",
        },
        {
            content: "that was the last one: the worklist is empty",
            trigger: ".o_breadcrumb:contains(My Worklist), .o_view_nocontent",
        },
        {
            content: "and says so",
            trigger: ".o_notification:contains(last case)",
        },
    ],
});
