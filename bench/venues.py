"""Lending markets behind one face: ours and Morpho Blue, on the same tokens and the same oracle.

An operation answers the gas of its transactions. Amounts are in the tokens' units; whoever acts has
let the venue take both tokens before.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from bench.peers import Code, MorphoMarket, deploy_morpho_market
from relever.artifacts import artifact
from relever.baselayer.parts import weth9
from relever.chain import Chain, Contract, Receipt
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD, deploy_blueprint

THRESHOLD = 93 * WAD // 100  # Morpho's loan-to-value too, at which it both lends and liquidates
CAP = 10**6 * WAD  # beyond what anyone lends or borrows here
# In the order of `ILendingMarket.Terms`.
TERMS = {
    "max_ltv": 91 * WAD // 100,
    "threshold": THRESHOLD,
    "target_health": 103 * WAD // 100,
    "base_bonus": WAD // 100,
    "max_bonus": 5 * WAD // 100,
    "min_debt": WAD // 10,
    "deleverage_share": WAD // 10,
}


@dataclass(frozen=True)
class Tokens:
    """A loan token, a collateral token and the oracle between them, which says 1 at first."""

    chain: Chain
    owner: str
    loan: Contract
    collateral: Contract
    oracle: Contract

    @classmethod
    def deploy(cls, chain: Chain, owner: str) -> Tokens:
        """Two WETH9 as tokens."""
        loan, collateral = (chain.deploy(weth9(), sender=owner) for _ in range(2))
        oracle = chain.deploy(artifact("OneWordOracle"), PRICE_SCALE, sender=owner)
        return cls(chain, owner, loan, collateral, oracle)

    def set_price(self, wad: int) -> None:
        """Loan token per collateral token."""
        self.oracle.set_price(wad * PRICE_SCALE // WAD, sender=self.owner)

    def fund(self, token: Contract, account: str, amount: int) -> None:
        """Give an account tokens, made of new ether; its own ether stays."""
        self.chain.set_balance(account, self.chain.balance(account) + amount)
        token.deposit(sender=account, value=amount)


class Venue(ABC):
    """Where one lends and borrows."""

    name: ClassVar[str]

    def __init__(self, tokens: Tokens, entry: Contract) -> None:
        """`entry` is the contract that users call and that takes their tokens."""
        self.tokens = tokens
        self.entry = entry
        self._looper = tokens.chain.deploy(artifact("FlashLooper"), sender=tokens.owner)
        self._looper.approve(tokens.loan.address, entry.address, sender=tokens.owner)
        # It holds something before and after, as whoever repeats it does.
        tokens.fund(tokens.loan, tokens.owner, WAD)
        tokens.loan.transfer(self._looper.address, WAD, sender=tokens.owner)

    def let_in(self, accounts: Sequence[str]) -> None:
        """Let the venue take any amount of both tokens from the accounts."""
        for account in accounts:
            for token in (self.tokens.loan, self.tokens.collateral):
                token.approve(self.entry.address, UNLIMITED, sender=account)

    def supply_collateral_and_borrow(self, user: str, collateral: int, debt: int) -> int:
        """Both, in as few transactions as the venue lets an account do it."""
        return self.supply_collateral(user, collateral) + self.borrow(user, debt)

    @abstractmethod
    def lend(self, user: str, amount: int) -> int: ...

    @abstractmethod
    def withdraw(self, user: str, amount: int) -> int: ...

    @abstractmethod
    def supply_collateral(self, user: str, amount: int) -> int: ...

    @abstractmethod
    def withdraw_collateral(self, user: str, amount: int) -> int: ...

    @abstractmethod
    def borrow(self, user: str, amount: int) -> int: ...

    @abstractmethod
    def repay(self, user: str, amount: int) -> int: ...

    @abstractmethod
    def repay_all(self, user: str) -> int: ...

    @abstractmethod
    def liquidate(self, liquidator: str, borrower: str, repaid: int) -> int:
        """Repay a part."""

    @abstractmethod
    def liquidate_debt(self, liquidator: str, borrower: str) -> int:
        """Repay the whole debt, for less than the collateral."""

    @abstractmethod
    def liquidate_collateral(self, liquidator: str, borrower: str) -> int | None:
        """Seize the whole collateral, for less than the debt; None where the rest stays owed."""

    @abstractmethod
    def flash_loan(self, user: str, amount: int) -> int: ...


class Relever(Venue):
    """Our market."""

    name = "Relever"

    def __init__(self, tokens: Tokens, fee_wad: int) -> None:
        chain, owner = tokens.chain, tokens.owner
        blueprint = deploy_blueprint(chain, owner)
        factory = chain.deploy(artifact("MarketFactory"), blueprint, owner, sender=owner)
        places = (tokens.loan.address, tokens.collateral.address, tokens.oracle.address)
        made = factory.create_market((*places, *TERMS.values()), "Lent", "LENT", sender=owner)
        market = chain.contract(made.events[-1].args["market"], artifact("LendingMarket"))
        market.set_caps((CAP, CAP, fee_wad), sender=owner)
        super().__init__(tokens, market)

    def lend(self, user: str, amount: int) -> int:
        return gas_of(self.entry.deposit(amount, user, sender=user))

    def withdraw(self, user: str, amount: int) -> int:
        return gas_of(self.entry.withdraw(amount, user, user, sender=user))

    def supply_collateral(self, user: str, amount: int) -> int:
        return gas_of(self.entry.supply_collateral(amount, user, sender=user))

    def withdraw_collateral(self, user: str, amount: int) -> int:
        return gas_of(self.entry.withdraw_collateral(amount, user, user, sender=user))

    def borrow(self, user: str, amount: int) -> int:
        return gas_of(self.entry.borrow(amount, user, user, sender=user))

    def repay(self, user: str, amount: int) -> int:
        return gas_of(self.entry.repay(amount, user, sender=user))

    def repay_all(self, user: str) -> int:
        return self.repay(user, UNLIMITED)

    def supply_collateral_and_borrow(self, user: str, collateral: int, debt: int) -> int:
        return gas_of(self.entry.adjust(user, collateral, debt, user, sender=user))

    def liquidate(self, liquidator: str, borrower: str, repaid: int) -> int:
        return gas_of(self.entry.liquidate(borrower, repaid, 0, sender=liquidator))

    def liquidate_debt(self, liquidator: str, borrower: str) -> int:
        return self.liquidate(liquidator, borrower, UNLIMITED)

    def liquidate_collateral(self, liquidator: str, borrower: str) -> int:
        return self.liquidate(liquidator, borrower, UNLIMITED)

    def flash_loan(self, user: str, amount: int) -> int:
        places = self.entry.address, self.tokens.loan.address
        return gas_of(self._looper.borrow_relever(*places, amount, sender=user))


class MorphoBlue(Venue):
    """A market of a Morpho Blue that has no other."""

    name = "Morpho Blue"

    def __init__(self, tokens: Tokens, fee_wad: int, code: Code) -> None:
        market: MorphoMarket = deploy_morpho_market(
            tokens.chain,
            code,
            tokens.owner,
            tokens.loan,
            tokens.collateral,
            tokens.oracle,
            THRESHOLD,
        )
        self._terms = market.parameters
        self._id = market.id
        if fee_wad:
            market.morpho.setFeeRecipient(tokens.owner, sender=tokens.owner)
            market.morpho.setFee(self._terms, fee_wad, sender=tokens.owner)
        super().__init__(tokens, market.morpho)

    def lend(self, user: str, amount: int) -> int:
        return gas_of(self.entry.supply(self._terms, amount, 0, user, b"", sender=user))

    def withdraw(self, user: str, amount: int) -> int:
        return gas_of(self.entry.withdraw(self._terms, amount, 0, user, user, sender=user))

    def supply_collateral(self, user: str, amount: int) -> int:
        return gas_of(self.entry.supplyCollateral(self._terms, amount, user, b"", sender=user))

    def withdraw_collateral(self, user: str, amount: int) -> int:
        return gas_of(self.entry.withdrawCollateral(self._terms, amount, user, user, sender=user))

    def borrow(self, user: str, amount: int) -> int:
        return gas_of(self.entry.borrow(self._terms, amount, 0, user, user, sender=user))

    def repay(self, user: str, amount: int) -> int:
        return gas_of(self.entry.repay(self._terms, amount, 0, user, b"", sender=user))

    def repay_all(self, user: str) -> int:
        shares = self._debt_shares(user)
        return gas_of(self.entry.repay(self._terms, 0, shares, user, b"", sender=user))

    def liquidate(self, liquidator: str, borrower: str, repaid: int) -> int:
        """Morpho takes shares: `repaid` of them at the rate of an empty market."""
        return self._liquidate(liquidator, borrower, 0, repaid * VIRTUAL_SHARES)

    def liquidate_debt(self, liquidator: str, borrower: str) -> int:
        return self._liquidate(liquidator, borrower, 0, self._debt_shares(borrower))

    def liquidate_collateral(self, liquidator: str, borrower: str) -> int:
        _, _, collateral = self.entry.position(self._id, borrower)
        return self._liquidate(liquidator, borrower, collateral, 0)

    def flash_loan(self, user: str, amount: int) -> int:
        places = self.entry.address, self.tokens.loan.address
        return gas_of(self._looper.borrow_morpho(*places, amount, sender=user))

    def _liquidate(self, liquidator: str, borrower: str, seized: int, shares: int) -> int:
        amounts = seized, shares
        return gas_of(self.entry.liquidate(self._terms, borrower, *amounts, b"", sender=liquidator))

    def _debt_shares(self, user: str) -> int:
        _, shares, _ = self.entry.position(self._id, user)
        return int(shares)


VIRTUAL_SHARES = 10**6  # Morpho's shares of an asset, in an empty market


def gas_of(receipt: Any) -> int:
    """Gas of a whole transaction."""
    found: Receipt = receipt
    return found.gas_used
