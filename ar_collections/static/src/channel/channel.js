import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { formatSelection } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const ICONS = {
    email: "fa-envelope-o",
    sms: "fa-mobile",
    letter: "fa-file-text-o",
    call: "fa-phone",
    visit: "fa-map-marker",
    task: "fa-check-square-o",
};

/** A contact channel with its icon; read-only, for lists and cards. */
export class ArChannelField extends Component {
    static template = "ar_collections.ChannelField";
    static props = { ...standardFieldProps };

    get icon() {
        return ICONS[this.props.record.data[this.props.name]];
    }

    get label() {
        const { record, name } = this.props;
        return formatSelection(record.data[name], { selection: record.fields[name].selection });
    }
}

registry.category("fields").add("ar_channel", {
    component: ArChannelField,
    supportedTypes: ["selection"],
});
