import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** Ageing as a small table; the value is `[[label, formatted amount, share], ...]`. */
export class ArAgeingField extends Component {
    static template = "ar_collections.AgeingField";
    static props = { ...standardFieldProps };

    get rows() {
        const buckets = this.props.record.data[this.props.name] || [];
        return buckets.map(([label, amount, share], index) => {
            const percent = Math.round(share * 100);
            return {
                label,
                amount,
                percent,
                width: Math.min(Math.max(percent, 0), 100),
                color: index === 0 ? "bg-success" : index === 1 ? "bg-warning" : "bg-danger",
            };
        });
    }
}

registry.category("fields").add("ar_ageing", {
    component: ArAgeingField,
    supportedTypes: ["json"],
});
