import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";

const openWorklist = [
    stepUtils.showAppsMenuItem(),
    {
        content: "open the app",
        trigger: ".o_app[data-menu-xmlid='ar_collections.menu_root']",
        run: "click",
    },
    {
        content: "the first menu is the worklist",
        trigger: ".o_breadcrumb:contains(My Worklist)",
    },
];

const openCase = [
    {
        content: "open the case",
        trigger: ".o_data_row:contains(Tour Customer) td[name=partner_id]",
        run: "click",
    },
    {
        content: "the overdue invoice is listed",
        trigger: ".o_field_widget[name=open_item_ids] .o_data_row",
    },
];

registry.category("web_tour.tours").add("ar_collections_collector", {
    url: "/odoo",
    steps: () => [
        ...openWorklist,
        ...openCase,
        {
            content: "log a call",
            trigger: "button[name=action_log_call]",
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
            content: "write down what was said",
            trigger: ".modal .o_field_widget[name=note] textarea",
            run: "edit Pays on Friday",
        },
        {
            content: "the call is done",
            trigger: ".modal button[name=action_done]",
            run: "click",
        },
        {
            content: "see the actions",
            trigger: "body:not(:has(.modal)) .nav-link[name=actions]",
            run: "click",
        },
        {
            content: "the call is there, done, with the amount asked for",
            trigger: ".o_field_widget[name=action_ids] .o_data_row:contains(Pays on Friday):contains(Done):contains(1,000.00)",
        },
    ],
});

registry.category("web_tour.tours").add("ar_collections_manager", {
    url: "/odoo",
    steps: () => [
        ...openWorklist,
        ...openCase,
        {
            content: "pause the case",
            trigger: ".o_form_statusbar button[name=action_pause]",
            run: "click",
        },
        {
            content: "say why",
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit Waiting for the auditor",
        },
        {
            content: "and until when",
            trigger: ".modal .o_field_widget[name=end] button, .modal .o_field_widget[name=end] input",
            run: "click",
        },
        {
            content: "enter the date",
            trigger: ".modal .o_field_widget[name=end] input",
            run: `edit ${luxon.DateTime.now().plus({ days: 10 }).toFormat("MM/dd/yyyy")}`,
        },
        {
            content: "confirm the pause",
            trigger: ".modal footer button[name=action_pause]",
            run: "click",
        },
        {
            content: "the case tells that it is paused",
            trigger: ".alert:contains(Waiting for the auditor)",
        },
        {
            content: "resume it",
            trigger: "body:not(:has(.modal)) button[name=action_resume]",
            run: "click",
        },
        {
            content: "it can be paused again",
            trigger: ".o_form_statusbar button[name=action_pause]",
        },
    ],
});
