import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

/** Show the next case in the place of the one that is done, so that the way back stays short. */
async function nextCase(env, { params }) {
    if (params.is_last) {
        env.services.notification.add(_t("That was the last case for today."), { type: "success" });
    }
    await env.services.action.doAction(params.action, {
        clearBreadcrumbs: params.is_last,
        stackPosition: params.is_last ? undefined : "replaceCurrentAction",
    });
}

registry.category("actions").add("ar_next_case", nextCase);
