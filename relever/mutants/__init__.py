"""Mutation score: small wrong changes to the contracts, and whether the tests notice.

`operators` makes the mutants, `suite` says which tests are to notice, `tree` holds scratch copies
of the repository, `compiling` makes the compiler faster, `worker` runs the tests on one mutant
after another, `campaign` deals them out by `job` and keeps what came of each, `report` sums up.
"""
