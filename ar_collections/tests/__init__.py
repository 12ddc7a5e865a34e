from . import test_case, test_position
