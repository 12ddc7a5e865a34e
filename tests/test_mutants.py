"""Every mistake of the kept list can still be made."""

from workspace.mutants import find_problems, read_mutants


def test_each_applies():
    mutants = read_mutants()
    assert find_problems(mutants) == []
