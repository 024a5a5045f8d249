"""The storage of a node's contracts, kept up to date by what each transaction is seen to write."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from relever.chain import Chain
from relever.fuzz.storage import Place


class Mirror:
    """Asks the node for a word once; `begin` goes back to where it was first asked."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._first: dict[Place, int] = {}
        self._now: dict[Place, int] = {}
        # What was written since the last look, and where was looked at all.
        self._written: Mapping[Place, int] = {}
        self._known: Sequence[Place] = ()
        self._places: set[Place] = set()

    def begin(self) -> None:
        """All is as it was at first."""
        self._now = {}
        self._written = {}

    def write(self, changed: Mapping[Place, int]) -> None:
        """A transaction has written these."""
        self._now.update(changed)
        self._written = changed

    def words(self, places: Sequence[Place]) -> list[int]:
        """The words there now."""
        first, now = self._first, self._now
        # What was never written is what it was at first, whenever it is asked for.
        new = [place for place in places if place not in first and place not in now]
        if new:
            first.update(zip(new, self._chain.words(new), strict=True))
        if places is not self._known:
            self._known, self._places = places, set(places)
        return [now[place] if place in now else first[place] for place in places]

    def unknown(self, covered: Collection[str]) -> str:
        """Names what the last transaction wrote in a covered contract where nobody looks."""
        odd = [
            f"{account} slot {slot:#x} = {self._written[account, slot]:#x}"
            for account, slot in self._written
            if account in covered and (account, slot) not in self._places
        ]
        return "; ".join(odd)
