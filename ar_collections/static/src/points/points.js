import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { formatFloat } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const GOOD = 70;
const FAIR = 40;

/**
 * Points from 0 to 100 as a bar with the number.
 *
 * Option `known`: the field that says whether there is a value at all, for numbers that cannot
 * be empty themselves.
 */
export class ArPointsField extends Component {
    static template = "ar_collections.PointsField";
    static props = { ...standardFieldProps, known: { type: String, optional: true } };

    get isKnown() {
        const { data } = this.props.record;
        return this.props.known
            ? Boolean(data[this.props.known])
            : ![false, null, undefined].includes(data[this.props.name]);
    }

    get points() {
        return this.props.record.data[this.props.name] || 0;
    }

    get text() {
        return formatFloat(this.points, { digits: [0, 1], trailingZeros: false });
    }

    get color() {
        const points = this.points;
        return points >= GOOD ? "bg-success" : points >= FAIR ? "bg-warning" : "bg-danger";
    }
}

registry.category("fields").add("ar_points", {
    component: ArPointsField,
    displayName: _t("Points"),
    supportedTypes: ["float", "integer"],
    supportedOptions: [{ label: _t("Known"), name: "known", type: "field" }],
    extractProps: ({ options }) => ({ known: options.known }),
});
