from . import (
    test_access,
    test_cadence,
    test_case,
    test_credit_file,
    test_performance,
    test_position,
    test_run,
    test_tour,
)
