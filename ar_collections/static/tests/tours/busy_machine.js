import { registry } from "@web/core/registry";

// A step that comes late on a busy machine is no failure: wait the longest that a step may.
registry.category("web_tour.tours").addEventListener("UPDATE", ({ detail: { key, value } }) => {
    if (key.startsWith("ar_collections")) {
        value.timeout = 60000;
    }
});
