"""The contracts of the suite as their callers see them: who may call, which tokens move with it.

A method is a function of the contract with its name and arguments, accounts and contracts by name;
the caller comes first. What it returns is what the contract returns.
"""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.market import MARKET, Caps
from relever.model.parts import EIGENLAYER, POCKET, STRATEGY, SYMBIOTIC_VAULT, VAULT, Parts
from relever.model.queue import QUEUE
from relever.model.refused import require
from relever.model.rounding import WAD
from relever.model.tokens import NOBODY, SNEKMATE, Erc20, pull, push
from relever.model.vault import Adapter

MAX_DEPOSIT_CAP = 2**112
MAX_EXIT_FEE, MAX_EXIT_BUFFER = WAD // 100, 2**80
MAX_PERFORMANCE_FEE = WAD // 5
NOT_OWNER = "ownable: caller is not the owner"


@dataclass
class TokenContract:
    """An ERC-20."""

    parts: Parts
    token: Erc20

    def transfer(self, caller: str, receiver: str, amount: int) -> bool:
        self.token.transfer(caller, receiver, amount)
        return True

    def transferFrom(self, caller: str, owner: str, receiver: str, amount: int) -> bool:
        self.token.transfer_from(caller, owner, receiver, amount)
        return True

    def approve(self, caller: str, spender: str, amount: int) -> bool:
        self.token.approve(caller, spender, amount)
        return True


@dataclass
class WethContract(TokenContract):
    def deposit(self, caller: str, *, ether: int = 0) -> None:
        self.token.mint(caller, ether)

    def withdraw(self, caller: str, amount: int) -> None:
        self.token.burn(caller, amount)


@dataclass
class WstEthContract(TokenContract):
    def transfer(self, caller: str, receiver: str, amount: int) -> bool:
        """What the strategy is sent is a gain of all who stake in it."""
        self.token.transfer(caller, receiver, amount)
        if receiver == STRATEGY:
            self.parts.eigenlayer.donate(amount)
        return True

    def wrap(self, caller: str, amount: int) -> int:
        return self.parts.wsteth.wrap(self.parts.steth, caller, amount)

    def unwrap(self, caller: str, amount: int) -> int:
        return self.parts.wsteth.unwrap(self.parts.steth, caller, amount)


@dataclass
class StEthContract:
    parts: Parts

    def submit(self, caller: str, referral: str, *, ether: int = 0) -> int:
        return self.parts.steth.submit(caller, ether)

    def approve(self, caller: str, spender: str, amount: int) -> bool:
        self.parts.steth.approve(caller, spender, amount)
        return True

    def transfer(self, caller: str, receiver: str, amount: int) -> bool:
        self.parts.steth.transfer(caller, receiver, amount)
        return True

    def accrue_rewards(self, caller: str, *, ether: int = 0) -> None:
        require(caller == self.parts.roles.lido_oracle, "steth: not the oracle")
        self.parts.steth.accrue_rewards(ether)

    def slash_validators(self, caller: str, amount: int) -> None:
        require(caller == self.parts.roles.lido_oracle, "steth: not the oracle")
        self.parts.steth.slash_validators(amount)


@dataclass
class VaultContract(TokenContract):
    # Coming and going

    def deposit(self, caller: str, assets: int, receiver: str) -> int:
        shares = self.parts.vault.deposit(receiver, assets)
        self._take(caller, assets, receiver)
        return shares

    def mint(self, caller: str, shares: int, receiver: str) -> int:
        assets = self.parts.vault.mint(receiver, shares)
        self._take(caller, assets, receiver)
        return assets

    def withdraw(self, caller: str, assets: int, receiver: str, owner: str) -> int:
        shares = self.parts.vault.withdraw(owner, assets, caller)
        push(self.parts.wsteth, VAULT, receiver, assets)
        return shares

    def redeem(self, caller: str, shares: int, receiver: str, owner: str) -> int:
        assets = self.parts.vault.redeem(owner, shares, caller)
        push(self.parts.wsteth, VAULT, receiver, assets)
        return assets

    def sync(self, caller: str) -> tuple[int, int, bool, int]:
        found = self.parts.vault.sync()
        return found.leaving.total, found.leaving.supply, found.complete, found.risk

    def pay_rewards(self, caller: str, amount: int) -> None:
        self.parts.vault.pay_rewards(amount)
        pull(self.parts.wsteth, caller, VAULT, amount)

    # Stake

    def allocate(self, caller: str, adapter: str, amount: int) -> None:
        require(caller == self.parts.roles.allocator, "vault: not the allocator")
        vault = self.parts.vault
        require(vault.clock.time >= vault.paused_until, "vault: paused")
        self._known(adapter)
        vault.allocate(adapter, amount)
        self.parts.wsteth.transfer(VAULT, _protocol(adapter), amount)

    def deallocate(self, caller: str, adapter: str, amount: int) -> int:
        require(caller == self.parts.roles.allocator, "vault: not the allocator")
        self._known(adapter)
        return self.parts.vault.start_exit(adapter, amount)

    def finish_exit(self, caller: str, adapter: str, number: int) -> int:
        found, pocket = self._known(adapter), self.parts.vault.pocket
        held = pocket.held
        amount = self.parts.vault.finish_exit(adapter, number)
        push(self.parts.wsteth, _protocol(adapter), VAULT, amount)
        if found.in_quarantine:
            push(self.parts.wsteth, VAULT, POCKET, pocket.held - held)
        return amount

    def quarantine(self, caller: str, adapter: str) -> None:
        by_owner = self._owner_or_guardian(caller)
        self._known(adapter)
        self.parts.vault.quarantine(adapter, by_guardian=not by_owner)

    # Settings

    def pause(self, caller: str, duration: int) -> None:
        self._owner_or_guardian(caller)
        self.parts.vault.pause(duration)

    def set_deposit_cap(self, caller: str, cap: int) -> None:
        vault = self.parts.vault
        by_owner = self._owner_or_guardian(caller)
        require(by_owner or cap <= vault.deposit_cap, "vault: guardian only lowers")
        require(cap <= MAX_DEPOSIT_CAP, "vault: deposit cap too large")
        vault.deposit_cap = cap

    def set_adapter_caps(self, caller: str, adapter: str, cap: int, share_cap: int) -> None:
        found = self._known(adapter)
        require(not found.in_quarantine, "vault: unknown adapter")
        by_owner = self._owner_or_guardian(caller)
        lowers = cap <= found.cap and share_cap <= found.share_cap
        require(by_owner or lowers, "vault: guardian only lowers")
        require(share_cap <= WAD, "vault: share cap")
        found.cap, found.share_cap = cap, share_cap

    def set_exit_fee(self, caller: str, buffer: int, most: int) -> None:
        require(caller == self.parts.roles.owner, NOT_OWNER)
        require(buffer <= MAX_EXIT_BUFFER, "vault: exit buffer")
        require(most <= MAX_EXIT_FEE, "vault: exit fee")
        fee = self.parts.vault.exit_fee
        fee.buffer, fee.most = buffer, most

    def set_performance_fee(self, caller: str, part: int, recipient: str) -> None:
        require(caller == self.parts.roles.owner, NOT_OWNER)
        require(part <= MAX_PERFORMANCE_FEE, "vault: performance fee")
        require(part == 0 or recipient != NOBODY, "vault: no fee recipient")
        self.parts.vault.set_performance_fee(part, recipient)

    def _take(self, caller: str, assets: int, receiver: str) -> None:
        """The model has counted the shares already."""
        pull(self.parts.wsteth, caller, VAULT, assets)
        require(receiver != NOBODY, str(SNEKMATE.mint_to_nobody))

    def _known(self, adapter: str) -> Adapter:
        found = self.parts.vault.adapters.get(adapter)
        require(found is not None, "vault: unknown adapter")
        assert found is not None
        return found

    def _owner_or_guardian(self, caller: str) -> bool:
        """Whether it is the owner, of the two."""
        roles = self.parts.roles
        require(caller in (roles.owner, roles.guardian), "vault: not owner or guardian")
        return caller == roles.owner


@dataclass
class QueueContract:
    parts: Parts

    def setOperator(self, caller: str, operator: str, approved: bool) -> bool:
        operators = self.parts.queue.operators
        (operators.add if approved else operators.discard)((caller, operator))
        return True

    def requestRedeem(self, caller: str, shares: int, controller: str, owner: str) -> int:
        return self.parts.queue.request(owner, shares, controller, caller)

    def cancel(self, caller: str, number: int) -> None:
        self.parts.queue.cancel(number, caller)

    def finalize(self, caller: str, most: int) -> int:
        fills = self.parts.queue.finalize(most, caller)
        push(self.parts.wsteth, VAULT, QUEUE, sum(fill.assets for fill in fills))
        return sum(fill.shares for fill in fills)

    def claim(self, caller: str, number: int, receiver: str) -> int:
        amount = self.parts.queue.claim(number, caller)
        push(self.parts.wsteth, QUEUE, receiver, amount)
        return amount

    def pull_back(self, caller: str, adapter: str, amount: int) -> int:
        return self.parts.queue.pull_back(adapter, amount)[0]


@dataclass
class PocketContract:
    parts: Parts

    def lower_expectation(self, caller: str, adapter: str, expected: int) -> None:
        pocket = self.parts.vault.pocket
        require(caller == self.parts.roles.owner, "pocket: not the vault's owner")
        require(adapter in pocket.adapters, "pocket: only lower")
        pocket.lower_expectation(adapter, expected)

    def hand_over(self, caller: str, to: str) -> None:
        self.parts.vault.pocket.hand_over(caller, to)

    def claim(self, caller: str, adapter: str, account: str) -> int:
        pocket = self.parts.vault.pocket
        require(adapter in pocket.adapters, "pocket: nothing to claim")
        amount = pocket.claim(adapter, account)
        push(self.parts.wsteth, POCKET, account, amount)
        self.parts.vault.paid_out += amount
        return amount


@dataclass
class OracleContract:
    parts: Parts

    def poke(self, caller: str) -> bool:
        return self.parts.oracle.poke()

    def poke_price(self, caller: str) -> int:
        return self.parts.oracle.poke_price()

    def poke_liquidation_prices(self, caller: str) -> tuple[int, int, bool]:
        return self.parts.oracle.poke_liquidation_prices()

    def propose_checkpoint(self, caller: str) -> None:
        self.parts.oracle.propose_checkpoint()

    def promote_checkpoint(self, caller: str) -> None:
        self.parts.oracle.promote_checkpoint()

    def accept_supply(self, caller: str, most: int) -> None:
        self.parts.oracle.accept_supply(self._role(caller), most)

    def propose_feed(self, caller: str, feed: str) -> None:
        self.parts.oracle.propose_feed(self._role(caller), self.parts.feeds[feed])

    def cancel_feed_proposal(self, caller: str) -> None:
        self.parts.oracle.cancel_feed_proposal(self._role(caller))

    def replace_feed(self, caller: str) -> None:
        self.parts.oracle.replace_feed()

    def roll_back_feed(self, caller: str) -> None:
        self.parts.oracle.roll_back_feed(self._role(caller))

    def _role(self, caller: str) -> str:
        roles = self.parts.roles
        return {roles.owner: "owner", roles.guardian: "guardian"}.get(caller, "anyone")


@dataclass
class MarketContract:
    parts: Parts

    # Lenders

    def deposit(self, caller: str, assets: int, receiver: str) -> int:
        return self.parts.market.deposit(caller, assets, receiver)

    def mint(self, caller: str, shares: int, receiver: str) -> int:
        return self.parts.market.mint(caller, shares, receiver)

    def withdraw(self, caller: str, assets: int, receiver: str, owner: str) -> int:
        return self.parts.market.withdraw(caller, assets, receiver, owner)

    def redeem(self, caller: str, shares: int, receiver: str, owner: str) -> int:
        return self.parts.market.redeem(caller, shares, receiver, owner)

    def transfer(self, caller: str, receiver: str, amount: int) -> bool:
        self.parts.market.transfer(caller, receiver, amount)
        return True

    def transferFrom(self, caller: str, owner: str, receiver: str, amount: int) -> bool:
        self.parts.market.transfer_from(caller, owner, receiver, amount)
        return True

    def approve(self, caller: str, spender: str, amount: int) -> bool:
        self.parts.market.approve(caller, spender, amount)
        return True

    # Borrowers

    def adjust(
        self, caller: str, owner: str, collateral: int, debt: int, receiver: str
    ) -> tuple[int, int]:
        return self.parts.market.adjust(caller, owner, collateral, debt, receiver)

    def supply_collateral(self, caller: str, amount: int, owner: str) -> None:
        self.parts.market.supply_collateral(caller, amount, owner)

    def withdraw_collateral(self, caller: str, amount: int, owner: str, receiver: str) -> None:
        self.parts.market.withdraw_collateral(caller, amount, owner, receiver)

    def borrow(self, caller: str, amount: int, owner: str, receiver: str) -> None:
        self.parts.market.borrow(caller, amount, owner, receiver)

    def repay(self, caller: str, amount: int, owner: str) -> int:
        repaid = min(amount, self.parts.market.debt(owner))
        self.parts.market.repay(caller, amount, owner)
        return repaid

    def liquidate(
        self, caller: str, owner: str, max_repay: int, min_seized: int
    ) -> tuple[int, int]:
        self.parts.oracle.poke_liquidation_prices()
        done = self.parts.market.liquidate(caller, owner, max_repay, min_seized)
        return done.repaid, done.seized

    def set_authorization(self, caller: str, manager: str, authorized: bool) -> None:
        self.parts.market.set_authorization(caller, manager, authorized)

    def renounce_authorization(self, caller: str, owner: str) -> None:
        self.parts.market.renounce_authorization(caller, owner)

    # Everyone, and the factory's owner and guardian

    def accrue(self, caller: str) -> None:
        self.parts.market.accrue()

    def set_caps(self, caller: str, caps: tuple[int, int, int]) -> None:
        self.parts.market.set_caps(caller, Caps(*caps))

    def request_fees(self, caller: str) -> int:
        return self.parts.market.request_fees(caller)

    def collect_fees(self, caller: str, receiver: str) -> int:
        return self.parts.market.collect_fees(caller, receiver)


@dataclass
class FactoryContract:
    """Of the one market that there is."""

    parts: Parts

    def list_market(self, caller: str, market: str) -> None:
        require(caller == self.parts.roles.owner, NOT_OWNER)
        require(market == MARKET, "factory: unknown market")
        self.parts.listed = True

    def delist_market(self, caller: str, market: str) -> None:
        roles = self.parts.roles
        allowed = caller in (roles.owner, roles.guardian)
        require(allowed, "factory: not owner or guardian")
        require(market == MARKET and self.parts.listed, "factory: not listed")
        self.parts.listed = False


def _protocol(adapter: str) -> str:
    """Where an adapter's stake is kept."""
    return STRATEGY if adapter == EIGENLAYER else SYMBIOTIC_VAULT
