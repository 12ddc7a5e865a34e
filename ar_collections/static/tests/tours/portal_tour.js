import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("ar_collections_portal_promise", {
    steps: () => [
        {
            content: "Choose one item",
            trigger: ".o_ar_portal_items input[name=item]",
            run: "check",
        },
        {
            content: "What is chosen is added up",
            trigger: ".o_ar_chosen:contains('1,000.00')",
        },
        {
            content: "Promise to pay it",
            trigger: "button:contains('Promise to pay')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: ".o_ar_promise input[name=name]",
            run: "edit Head of Accounts",
        },
        {
            content: "Today",
            trigger: ".o_ar_promise input[name=date]",
            run() {
                this.anchor.value = this.anchor.min;
            },
        },
        {
            trigger: ".o_ar_promise button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The day is noted",
            trigger: ".alert-success:contains('noted the day')",
        },
        {
            content: "The item says so",
            trigger: ".badge:contains('Payment promised')",
        },
    ],
});

registry.category("web_tour.tours").add("ar_collections_portal_sign", {
    steps: () => [
        {
            content: "Open the plan that waits",
            trigger: "a:contains('Payment plan')",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The place to sign opens with the first letter of the name",
            trigger: "input.o_web_sign_name_input",
            run: "edit D",
        },
        {
            trigger: "canvas.o_web_sign_signature",
            run: "canvasNotEmpty",
        },
        {
            content: "Write the name",
            trigger: "input.o_web_sign_name_input",
            run: "edit Director of Accounts",
        },
        {
            content: "Sign",
            trigger: ".o_portal_sign_submit:enabled",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Signed",
            trigger: ".alert-success:contains('your signature has arrived')",
        },
        {
            trigger: "img[alt=Signature]",
        },
    ],
});
