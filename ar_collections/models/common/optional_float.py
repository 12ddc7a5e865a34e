from odoo import fields


class OptionalFloat(fields.Float):
    """A number that may be unknown, which is not zero: in forms, lists, searches, exports, RPC.

    What is unknown reads as ``False``, as an empty date does.
    """

    falsy_value = None

    def convert_to_cache(self, value, record, validate=True):
        if value is None or value is False:
            return None
        return super().convert_to_cache(value, record, validate)

    def convert_to_column(self, value, record, values=None, validate=True):
        if value is None or value is False:
            return None
        return super().convert_to_column(value, record, values, validate)

    def convert_to_record(self, value, record):
        return False if value is None else value

    def convert_to_export(self, value, record):
        return "" if value is False else value

    def filter_function(self, records, field_expr, operator, value):
        if operator != "in":
            return super().filter_function(records, field_expr, operator, value)
        getter = self.expression_getter(field_expr)
        with_unknown = any(number is False for number in value)
        numbers = {number for number in value if number is not False}

        def is_in(record):
            number = getter(record)
            return with_unknown if number is False else number in numbers

        return is_in
