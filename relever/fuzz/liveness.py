"""What must still be possible, tried on the chain and then undone: nobody is ever locked in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from relever.chain import Ran
from relever.fuzz.invariants.base import PRICE_SCALE, SHARES, WAD
from relever.fuzz.player import Actor, Violation
from relever.model.market import MARKET
from relever.model.parts import PEOPLE

# Of so many examples one is looked at, by the number of its last block: it costs a tenth of it.
EVERY = 4
MOST = 2**256 - 1
SENTENCES = {
    "LIQ-6": "Whoever is unhealthy at the fundamental price can be liquidated.",
    "WQ-2": "What was set aside for a request is paid to whom it is for, once and in full.",
    "WQ-9": "Maintenance never reverts for lack of work.",
    "EXIT-1": "Every borrower can repay all that he owes and take all collateral out.",
    "EXIT-2": "Once all debts are repaid, lenders get all but what the virtual shares bear.",
}


def check_liveness(actor: Actor) -> None:
    """Of one example in `EVERY`; the chain is left as it was. Raises `Violation`."""
    if actor.look.sight.block % EVERY == 0:
        check(actor)


def check(actor: Actor) -> None:
    """All of it. Raises `Violation`."""
    trial = Trial(actor)
    with trial.undone():
        trial.liquidations()
    with trial.undone():
        trial.maintenance()
        trial.claims()
        trial.exits()


class Trial:
    """Calls by whoever has a right to them, on one chain."""

    def __init__(self, actor: Actor) -> None:
        self._actor, self._chain = actor, actor.chain
        self._contracts, self._addresses = actor.deployed.contracts, actor.deployed.addresses

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Undo at the end whatever was done."""
        snapshot: Any = self._chain.snapshot()
        try:
            yield
        finally:
            self._chain.revert(snapshot)

    def liquidations(self) -> None:
        """Each that is due, by somebody who pays all that is asked."""
        look, terms = self._actor.look, self._actor.facts.terms
        for owner, (collateral, shares) in look.positions.items():
            worth = collateral * look.sight.prices.fundamental // PRICE_SCALE
            if shares and look.position(owner)[1] * WAD > worth * terms.threshold:
                self._give_weth("liquidator", 2 * look.position(owner)[1])
                self._do(
                    "LIQ-6", MARKET, "liquidate", "liquidator", (self._at(owner), MOST, 0, b"")
                )

    def maintenance(self) -> None:
        """By a stranger."""
        for contract, function, arguments in (
            ("vault", "sync", ()),
            (MARKET, "accrue", ()),
            ("oracle", "poke", ()),
            ("queue", "finalize", (0,)),
        ):
            self._do("WQ-9", contract, function, "stranger", arguments)

    def claims(self) -> None:
        """Each by its controller."""
        look, names = self._actor.look, self._actor.facts.names
        controllers = look.entries("queue._requests.controller")
        for number, claimable in look.entries("queue._requests.claimable_assets").items():
            who = names[controllers[number]]
            if claimable and self._acts(who):
                ran = self._do("WQ-2", "queue", "claim", who, (number, self._at(who)))
                if int.from_bytes(ran.output, "big") != claimable:
                    self._fail("WQ-2", f"{who} gets {ran.output.hex()} for {claimable:_}")

    def exits(self) -> None:
        """First all borrowers, then all lenders."""
        look = self._actor.look
        for owner in look.positions:
            collateral, debt = look.position(owner)
            if debt:
                # Anyone may repay for a contract.
                payer = owner if self._acts(owner) else "depositor"
                self._give_weth(payer, debt)
                self._do("EXIT-1", MARKET, "repay", payer, (2 * debt, self._at(owner)))
            if collateral and self._acts(owner):
                arguments = collateral, self._at(owner), self._at(owner)
                self._do("EXIT-1", MARKET, "withdraw_collateral", owner, arguments)
        # Interest on the virtual shares is owed by nobody, and so not there.
        state = self._chain.read(self._contracts[MARKET].state.build())
        for lender, shares in look.entries(SHARES).items():
            if not shares or not self._acts(lender):
                continue
            place = self._at(lender)
            most, worth = self._ask("maxRedeem", place), self._ask("convertToAssets", shares)
            missing = worth - self._ask("convertToAssets", most)
            if missing > state.borrow_assets + 1:
                self._fail("EXIT-2", f"{lender} may redeem {most:_} of {shares:_} shares")
            if most:
                self._do("EXIT-2", MARKET, "redeem", lender, (most, place, place))

    # How

    def _at(self, name: str) -> str:
        return self._addresses[name]

    @staticmethod
    def _acts(name: str) -> bool:
        """Whether it is a person, and no contract."""
        return name in PEOPLE

    def _ask(self, function: str, *arguments: Any) -> int:
        """A view of the market's."""
        found: int = self._chain.read(getattr(self._contracts[MARKET], function).build(*arguments))
        return found

    def _give_weth(self, name: str, amount: int) -> None:
        """Out of the ether that everybody has plenty of; the market may take it."""
        if amount:
            deposit = self._contracts["weth"].deposit.build(
                sender=self._at("depositor"), value=amount
            )
            give = self._contracts["weth"].transfer.build(
                self._at(name), amount, sender=self._at("depositor")
            )
            for call in (deposit, give):
                ran = self._chain.run(call)
                assert ran.failed is None, ran.failed

    def _do(
        self, identifier: str, contract: str, function: str, who: str, arguments: tuple[Any, ...]
    ) -> Ran:
        sender = self._chain.impersonate(self._at(who))
        call = getattr(self._contracts[contract], function).build(*arguments, sender=sender)
        ran = self._chain.run(call)
        if ran.failed is not None:
            self._fail(identifier, f"{who}: {contract}.{function}{arguments}: {ran.failed!r}")
        return ran

    @staticmethod
    def _fail(identifier: str, found: str) -> None:
        raise Violation(identifier, SENTENCES[identifier], f"{found}.")
