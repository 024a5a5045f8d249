"""The protocol in exact integers.

Each module says what one part does, to the unit, in plain Python of the standard library: which
amounts move, how each of them is rounded, what is refused and why. They are written from the
description of the protocol and from what the contracts of the base layer do, not from Relever's own
contracts, so that the tests can hold these against them, step by step. Amounts are in smallest
units, times in seconds, parts in WAD.

What the contracts refuse raises `Refused` with the reason that they must give. A model that has
refused may have changed already: try on a copy (`copy.deepcopy`), keep the copy when it succeeds.
"""
