"""What an invariant is, and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from relever.fuzz.storage import Storage
from relever.model.parts import OWNERS
from relever.model.protocol import Action, Outcome, Step

if TYPE_CHECKING:
    from relever.fuzz.stage import Stage

WAD = 10**18
PRICE_SCALE = 10**36


class Look:
    """What the chain says at one moment.

    `sight` is what `Lens.watch` says, with its names, `words` the storage. Tables are by the names
    that `Storage` gives variables: `look.table("weth.balanceOf")` has the balances of all accounts
    in the order of `Facts.accounts`.
    """

    __slots__ = ("_names", "_spans", "sight", "words")

    def __init__(self, sight: Any, words: list[int], storage: Storage) -> None:
        self.sight, self.words = sight, words
        self._spans, self._names = storage.spans, storage.keys

    def table(self, name: str) -> list[int]:
        """The words of a table."""
        return self.words[self._spans[name]]

    def entries(self, name: str) -> dict[Any, int]:
        """A table by its keys."""
        return dict(zip(self._names[name], self.words[self._spans[name]], strict=True))

    def position(self, owner: str) -> tuple[int, int]:
        """Collateral, and debt with interest, of one whose position the Lens is asked for."""
        word = self.entries("market.positions._positions").get(owner, 0)
        debt: int = self.sight.debts[OWNERS.index(owner)]
        return word & (2**128 - 1), debt

    def word(self, name: str) -> int:
        """The word of a variable by itself."""
        return self.words[self._spans[name].start]


@dataclass(frozen=True)
class Facts:
    """What does not change: who is who, and the market's terms.

    `accounts` are the names of all in the order of tables of balances, `places` their indexes,
    `owners` the names of those whose positions the Lens shows, in its order.
    """

    accounts: Sequence[str]
    places: Mapping[str, int]
    owners: Sequence[str]
    terms: Any

    @classmethod
    def of(cls, stage: Stage) -> Facts:
        """Of a stage."""
        accounts = stage.storage.accounts
        places = {name: index for index, name in enumerate(accounts)}
        terms = stage.deployed.deployment.protocol.market.terms()
        return cls(accounts, places, OWNERS, terms)


@dataclass(frozen=True)
class Seen:
    """A step, what came of it, and what the chain said before and after.

    Time that passes with a step lies between the two.
    """

    step: Step
    outcome: Outcome
    before: Look
    after: Look
    facts: Facts

    @property
    def action(self) -> Action:
        return self.step.action

    @property
    def done(self) -> bool:
        """Whether it succeeded."""
        return self.outcome.refused is None

    def held(self, token: str, account: str) -> tuple[int, int]:
        """Someone's balance before and after, by the table's name."""
        place = self.facts.places[account]
        return self.before.table(token)[place], self.after.table(token)[place]


@dataclass(frozen=True)
class Invariant:
    """A sentence: `check` says what was found where it does not hold, and None where it does."""

    identifier: str
    sentence: str
    reference: str
    check: Callable[[Seen], str | None] = field(repr=False)


def invariant(
    into: list[Invariant], identifier: str, sentence: str, reference: str
) -> Callable[[Callable[[Seen], str | None]], Callable[[Seen], str | None]]:
    """Registers a check as an invariant."""

    def register(check: Callable[[Seen], str | None]) -> Callable[[Seen], str | None]:
        into.append(Invariant(identifier, sentence, reference, check))
        return check

    return register
