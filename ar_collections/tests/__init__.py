from . import test_cadence, test_case, test_position, test_run
