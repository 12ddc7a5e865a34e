import { Interaction } from "@web/public/interaction";
import { registry } from "@web/core/registry";
import { formatFloat } from "@web/core/utils/numbers";

/** Adds up what is chosen; the server counts again. */
export class StatementItems extends Interaction {
    static selector = ".o_ar_portal_items";
    dynamicContent = {
        "input[name=item]": { "t-on-change": this.addUp },
        ".o_ar_choose_all": { "t-on-change": this.chooseAll },
    };

    setup() {
        this.all = this.el.querySelector(".o_ar_choose_all");
        this.all?.classList.remove("d-none");
        this.addUp();
    }

    get boxes() {
        return [...this.el.querySelectorAll("input[name=item]")];
    }

    chooseAll() {
        this.boxes.forEach((box) => (box.checked = this.all.checked));
        this.addUp();
    }

    addUp() {
        const chosen = this.boxes.filter((box) => box.checked);
        const totals = {};
        for (const { dataset } of chosen) {
            const total = (totals[dataset.currency] ||= { amount: 0, digits: dataset.digits });
            total.amount += parseFloat(dataset.amount);
        }
        const label = this.el.querySelector(".o_ar_chosen");
        if (!label) {
            return;
        }
        label.classList.toggle("d-none", !chosen.length);
        label.querySelector(".o_ar_chosen_amount").textContent = Object.entries(totals)
            .map(([currency, { amount, digits }]) => {
                const text = formatFloat(amount, { digits: [16, parseInt(digits)] });
                return `${text} ${currency}`;
            })
            .join(" + ");
        if (this.all) {
            this.all.checked = chosen.length === this.boxes.length;
        }
    }
}

registry.category("public.interactions").add("ar_collections.statement_items", StatementItems);
