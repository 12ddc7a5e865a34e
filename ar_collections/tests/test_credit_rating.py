import base64
import io
from datetime import date
from unittest.mock import patch

import openpyxl

from odoo.exceptions import UserError, ValidationError
from odoo.tests import BaseCase
from odoo.tools import file_open, mute_logger

from ..models.credit.credit_rating_file import FileError, read_rows
from .test_credit_review import ReviewCommon

HEADER = ("key", "rating", "date", "valid_until", "reference")


def csv_file(*rows, header=HEADER, delimiter=",", encoding="utf-8"):
    lines = [delimiter.join(map(str, row)) for row in (header, *rows)]
    return "\r\n".join(lines).encode(encoding)


def xlsx_file(*rows, header=HEADER):
    book = openpyxl.Workbook()
    for row in (header, *rows):
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


class TestRatingFile(BaseCase):
    """Reading the file alone, without the database."""

    def test_csv_of_all_kinds(self):
        for content in (
            csv_file(("A1", "AA", "2030-01-31", "2031-01-31", "R 1")),
            csv_file(("A1", "AA", "2030/1/31", "2031.01.31", "R 1"), delimiter=";"),
            csv_file(("A1", "AA", "20300131", "20310131", "R 1"), delimiter="\t"),
            csv_file(("A1", "AA", "2030-01-31", "2031-01-31", "R 1"), encoding="utf-8-sig"),
            csv_file((" A1 ", "AA ", " 2030-01-31", "2031-01-31", "R 1"), ("", "", "", "", "")),
            csv_file(
                ("R 1", "2031-01-31", "2030-01-31", "AA", "A1"), header=tuple(reversed(HEADER))
            ),
            csv_file(
                ("A1", "AA", "2030-01-31", "2031-01-31", "R 1"), header=(h.upper() for h in HEADER)
            ),
        ):
            self.assertEqual(
                read_rows(content),
                [(2, "A1", "AA", date(2030, 1, 31), date(2031, 1, 31), "R 1", [])],
            )

    def test_chinese_encodings(self):
        for encoding in ("utf-8", "gb18030"):
            (row,) = read_rows(csv_file(("A1", "优秀", "2030-01-31"), encoding=encoding))
            self.assertEqual(row.rating, "优秀")

    def test_xlsx(self):
        rows = read_rows(
            xlsx_file(
                (12345, "AA", date(2030, 1, 31), None, 7.0),
                (None, None, None, None, None),
                ("B", "A", "2030-02-01", "2031-02-01", "x"),
            )
        )
        self.assertEqual(
            rows,
            [
                (2, "12345", "AA", date(2030, 1, 31), None, "7", []),
                (4, "B", "A", date(2030, 2, 1), date(2031, 2, 1), "x", []),
            ],
        )

    def test_optional_columns(self):
        (row,) = read_rows(csv_file(("A", "AA", "2030-01-31"), header=HEADER[:3]))
        self.assertEqual((row.valid_until, row.reference, row.problems), (None, "", []))

    def test_files_that_cannot_be_read(self):
        for code, content in (
            ("empty", b""),
            ("empty", b" \n\n"),
            ("empty", csv_file()),
            ("columns", csv_file(("A", "AA"), header=("key", "rating"))),
            ("columns", csv_file(("A", "AA", "2030-01-31"), header=("vat", "rating", "date"))),
            ("format", b"PK\x03\x04 nonsense"),
            ("format", b"\xff\xfe\xff\xff\x00\x00"),
            ("format", "key,rating".encode("utf-16-be")),
            ("empty", xlsx_file(header=())),
        ):
            with self.assertRaises(FileError) as caught:
                read_rows(content)
            self.assertEqual(caught.exception.code, code, content[:20])

    def test_problems_of_rows(self):
        for row, problems in (
            (("", "AA", "2030-01-31"), [("no_key",)]),
            (("A", "", "2030-01-31"), [("no_rating",)]),
            (("A", "AA", ""), [("no_date",)]),
            (("A", "AA", "31.01.2030"), [("bad_date", "31.01.2030")]),
            (("A", "AA", "2030-02-30"), [("bad_date", "2030-02-30")]),
            (("A", "AA", "2030-1.31"), [("bad_date", "2030-1.31")]),
            (("A", "AA", "2030131"), [("bad_date", "2030131")]),
            (("A", "AA", "2030-01-31", "2030-01-30"), [("order",)]),
            (("A", "AA", "2030-01-31", "soon"), [("bad_date", "soon")]),
            (("", "", "x"), [("no_key",), ("no_rating",), ("bad_date", "x")]),
        ):
            (found,) = read_rows(csv_file(row))
            self.assertEqual(found.problems, problems)


class TestRating(ReviewCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.write({"vat": "T-1", "ref": "C1", "company_registry": "REG 1"})
        cls.other = cls._customer("Other", vat="T-2", ref="C2")
        cls.provider = cls.env["ar.credit.rating.provider"].create(
            {"name": "The bureau", "criterion_id": cls.bureau.id, "company_id": cls.company.id}
        )

    def _ratings(self):
        return self.env["ar.credit.rating"].search([], order="id")

    def _update(self, content, user=None, name="file.csv"):
        self.provider.write({"file": base64.b64encode(content), "file_name": name})
        return self.provider.with_user(user or self.manager).action_update_ratings()

    def _problems(self, *rows, **options):
        with self.assertRaises(UserError) as caught, self.env.cr.savepoint():
            self._update(csv_file(*rows, **options))
        self.assertFalse(self._ratings(), "nothing of the file is half applied")
        return str(caught.exception)

    # One rating

    def _rating(self, **values):
        return self.env["ar.credit.rating"].create(
            {
                "partner_id": self.customer.id,
                "company_id": self.company.id,
                "criterion_id": self.bureau.id,
                "rating": "AA",
                **values,
            }
        )

    def test_rating_is_a_label(self):
        self.assertEqual(self._rating(rating=" aa").points, 90)
        with self.assertRaisesRegex(ValidationError, "which are: AA, B"):
            self._rating(rating="AAA")
        with self.assertRaisesRegex(ValidationError, "not rated by a bureau"):
            self._rating(criterion_id=self.visit.id, rating="Good")
        rating = self._rating()
        with self.assertRaises(ValidationError):
            rating.rating = "C"
        rating.rating = "B"
        self.assertEqual(rating.points, 20)

    def test_translated_labels(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        band = self._option(self.bureau, "AA")
        band.with_context(lang="zh_CN").name = "优秀"
        ratings = self.env["ar.credit.rating"].with_context(lang="zh_CN")
        for text in ("优秀", "AA"):
            self.assertEqual(
                ratings.create(
                    {
                        "partner_id": self.customer.id,
                        "criterion_id": self.bureau.id,
                        "rating": text,
                    }
                ).band_id,
                band,
            )

    def test_of_customers_and_companies(self):
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer.id})
        with self.assertRaisesRegex(ValidationError, "is a contact"):
            self._rating(partner_id=contact.id)
        with self.assertRaisesRegex(ValidationError, "is a branch"):
            self._rating(company_id=self.branch.id)
        with mute_logger("odoo.sql_db"):
            self._refused(
                lambda: self._rating(date="2030-01-02", valid_until="2030-01-01"), Exception
            )

    def test_who_may_what(self):
        rating = self._rating()
        for user in (self.collector, self.auditor):
            rating.with_user(user).read()
            self.provider.with_user(user).read()
            self._refused(lambda user=user: rating.with_user(user).write({"rating": "B"}))
            self._refused(rating.with_user(user).unlink)
            self._refused(lambda user=user: self.provider.with_user(user).write({"name": "x"}))
            self._refused(self.provider.with_user(user).action_update_ratings)
            self._refused(self.provider.with_user(user).sudo().action_update_ratings)
        self._refused(rating.with_user(self.employee).read)
        rating.with_user(self.manager).rating = "B"
        rating.with_user(self.manager).unlink()

    # Odoo's import

    def test_import(self):
        template = self.env["ar.credit.rating"].get_import_templates()[0]["template"]
        with file_open(template.lstrip("/")) as stream:
            header = stream.readline().strip().split(",")
        names = [
            "partner_id",
            "criterion_id",
            "rating",
            "date",
            "valid_until",
            "source",
            "reference",
        ]
        labels = self.env["ar.credit.rating"].fields_get(names, ["string"])
        self.assertEqual(header, [labels[name]["string"] for name in names])
        rows = [
            ["Customer", "Bureau", "AA", "2030-01-15", "2031-01-14", "The bureau", "R1"],
            ["Other", "Bureau", "B", "2030-01-16", "", "The bureau", "R2"],
        ]
        ratings = self.env["ar.credit.rating"].with_user(self.manager)
        result = ratings.load(names, rows)
        self.assertFalse(result["messages"])
        self.assertRecordValues(
            ratings.browse(result["ids"]),
            [
                {"partner_id": self.customer.id, "points": 90, "valid_until": date(2031, 1, 14)},
                {"partner_id": self.other.id, "points": 20, "valid_until": False},
            ],
        )

    def test_import_of_bad_rows(self):
        names = ["partner_id", "criterion_id", "rating", "date"]
        result = (
            self.env["ar.credit.rating"]
            .with_user(self.manager)
            .load(
                names,
                [
                    ["Customer", "Bureau", "AA", "2030-01-15"],
                    ["Other", "Bureau", "ZZ", "2030-01-15"],
                ],
            )
        )
        self.assertFalse(result["ids"])
        self.assertIn("ZZ is not a rating", result["messages"][0]["message"])
        self.assertFalse(self._ratings())

    # The bureau's file

    def test_csv_and_twice(self):
        content = csv_file(
            ("T-1", "aa", "2030-01-15", "2031-01-14", "R1"), ("T-2", "B", "2030-01-16", "", "")
        )
        self._update(content)
        expected = [
            {
                "partner_id": self.customer.id,
                "points": 90,
                "date": date(2030, 1, 15),
                "valid_until": date(2031, 1, 14),
                "reference": "R1",
                "source": "The bureau",
                "company_id": self.company.id,
            },
            {
                "partner_id": self.other.id,
                "points": 20,
                "date": date(2030, 1, 16),
                "valid_until": False,
                "reference": False,
                "source": "The bureau",
                "company_id": self.company.id,
            },
        ]
        self.assertRecordValues(self._ratings(), expected)
        self.assertEqual(self.provider.last_update, self.company._ar_today())
        self._update(content)
        self.assertRecordValues(self._ratings(), expected)
        self._update(csv_file(("T-1", "B", "2030-03-01")))
        self.assertEqual(len(self._ratings()), 3, "the history stays")

    def test_xlsx_and_other_keys(self):
        for key, value in (("ref", "C2"), ("company_registry", "REG 1")):
            self.provider.key = key
            self._update(xlsx_file((value, "AA", date(2030, 1, 15), None, key)), name="file.xlsx")
        self.assertEqual(self._ratings().mapped("partner_id"), self.other + self.customer)

    def test_wrong_rows_are_reported_by_line(self):
        text = self._problems(
            ("T-1", "AA", "2030-01-15"),
            ("T-9", "AA", "2030-01-15"),
            ("T-2", "AAAA", "2030-01-15"),
            ("T-1", "B", "2030-01-15"),
            ("", "AA", "15.01.2030"),
        )
        self.assertEqual(
            text.splitlines(),
            [
                "Nothing was taken over from file.csv:",
                "Line 3: No customer has the tax number T-9.",
                "Line 4: AAAA is not a rating of “Bureau”.",
                "Line 5: T-1 is on line 2 already.",
                "Line 6: Tax number is missing.",
                "Line 6: 15.01.2030 is not a date such as 2030-06-30.",
            ],
        )

    def test_ambiguous_customers(self):
        self.other.vat = "T-1"
        text = self._problems(("T-1", "AA", "2030-01-15"))
        self.assertIn("Line 2: Several customers have the tax number T-1.", text)
        self.other.write({"vat": "T-1", "parent_id": self.customer.id})
        self._update(csv_file(("T-1", "AA", "2030-01-15")))
        self.assertEqual(self._ratings().partner_id, self.customer, "contacts do not count")

    def test_customers_of_another_company(self):
        other = self.setup_other_company(name="Other company")["company"]
        self.other.company_id = other
        self.assertIn("Line 2: No customer", self._problems(("T-2", "AA", "2030-01-15")))

    def test_missing_columns_and_files(self):
        text = self._problems(("T-1", "2030-01-15"), header=("key", "date"))
        self.assertIn("lacks these columns: rating", text)
        self.provider.file = False
        with self.assertRaisesRegex(UserError, "Upload the file"):
            self.provider.with_user(self.manager).action_update_ratings()
        with self.assertRaisesRegex(UserError, "neither CSV nor XLSX"), self.env.cr.savepoint():
            self._update(b"PK\x03\x04 nonsense")

    def test_long_lists_of_problems_are_cut(self):
        text = self._problems(*((f"X{index}", "AA", "2030-01-15") for index in range(50)))
        self.assertEqual(len(text.splitlines()), 32)
        self.assertTrue(text.endswith("and 20 more."))

    def test_interface(self):
        self.provider.file = base64.b64encode(
            csv_file(("T-1", "AA", "2030-01-15", "2031-01-14", "R1"))
        )
        contact = self.env["res.partner"].create({"name": "Ann", "parent_id": self.customer.id})
        self.assertEqual(
            self.provider._fetch_rating(contact),
            {
                "rating": "AA",
                "date": date(2030, 1, 15),
                "valid_until": date(2031, 1, 14),
                "reference": "R1",
            },
        )
        self.assertIsNone(self.provider._fetch_rating(self.other))

    def test_another_provider_has_one_method(self):
        """As a module that asks a web service would add it."""

        def fetch(provider, partner):
            if partner == self.customer:
                return {"rating": "B", "date": date(2030, 2, 1), "reference": None}
            return None

        self.env["ar.credit.file"]._get_file(self.other, self.company, create=True)
        # A selection_add is at home in a module of its own.
        self.env.cr.execute(
            "UPDATE ar_credit_rating_provider SET kind = 'web' WHERE id = %s", [self.provider.id]
        )
        self.provider.invalidate_recordset()
        with patch.object(type(self.provider), "_fetch_rating_web", fetch, create=True):
            self.provider.with_user(self.manager).action_update_ratings()
            self.provider.with_user(self.manager).action_update_ratings()
        self.assertRecordValues(
            self._ratings(),
            [{"partner_id": self.customer.id, "rating": "B", "valid_until": False}],
        )

    def test_queries_do_not_grow(self):
        customers = [self._customer(f"Many {index}", vat=f"M-{index}") for index in range(55)]
        self.assertEqual(len(customers), 55)

        def update(numbers):
            self.provider.file = base64.b64encode(
                csv_file(*((f"M-{number}", "AA", "2030-01-15") for number in numbers))
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.provider.with_user(self.manager).action_update_ratings()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        update(range(50, 55))
        self.assertLessEqual(update(range(5, 50)), update(range(5)) + 3)

    def test_rating_counts_in_the_next_review(self):
        self._figures(self.file, avg_days_late=0)
        self._update(csv_file(("T-1", "B", self.company._ar_today())))
        line = self._line(self._review(), self.bureau)
        self.assertRecordValues(line, [{"points": 20, "origin": "bureau"}])
        self.assertIn("The bureau, ", line.source)
        line.option_id = self._option(self.bureau, "AA")
        self.assertRecordValues(line, [{"points": 90, "origin": "entered"}])
        self.assertIn("rev.collector", line.source)
