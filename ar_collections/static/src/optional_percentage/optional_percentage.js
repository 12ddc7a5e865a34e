import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { formatPercentage } from "@web/views/fields/formatters";
import { useInputField } from "@web/views/fields/input_field_hook";
import { useNumpadDecimal } from "@web/views/fields/numpad_decimal_hook";
import { parsePercentage } from "@web/views/fields/parsers";
import { PercentageField, percentageField } from "@web/views/fields/percentage/percentage_field";

/** A percentage that may be unknown: then the place is empty, which is not zero. */
export class ArOptionalPercentageField extends PercentageField {
    setup() {
        useInputField({
            getValue: () => (this.isKnown ? this.format({ noSymbol: true }) : ""),
            refName: "numpadDecimal",
            parse: (value) => (value.trim() ? parsePercentage(value) : false),
        });
        useNumpadDecimal();
    }

    get isKnown() {
        return ![false, null, undefined].includes(this.props.record.data[this.props.name]);
    }

    get formattedValue() {
        return this.isKnown ? this.format() : "";
    }

    format(options = {}) {
        const { digits, name, record } = this.props;
        return formatPercentage(record.data[name], {
            digits,
            field: record.fields[name],
            ...options,
        });
    }
}

registry.category("fields").add("ar_optional_percentage", {
    ...percentageField,
    component: ArOptionalPercentageField,
    displayName: _t("Percentage or Unknown"),
});
