"""The protocol in exact integers.

Each module says what one part does, to the unit, in plain Python of the standard library: which
amounts move, how each of them is rounded, what is refused and why. They are written from the
description of the protocol and from what the contracts of the base layer do, not from Relever's own
contracts, so that the tests can hold these against them, step by step. Amounts are in smallest
units, times in seconds, parts in WAD.

What the contracts refuse raises `Refused` with the reason that they must give. A model that has
refused may have changed already: `snapshot.Snapshot` takes it back.

`protocol.Protocol` is all of it in one, driven action by action; `contracts` has the doors through
which actions come. `deployed.Deployed` does the same actions on a chain; it, `origin` and `signing`
are the only modules here that know of one.
"""
