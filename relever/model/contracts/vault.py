"""The vault."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.contracts.owned import Owned
from relever.model.contracts.tokens import ShareContract
from relever.model.parts import EIGENLAYER, POCKET, STRATEGY, SYMBIOTIC_VAULT, VAULT
from relever.model.refused import Refused, require
from relever.model.rounding import WAD
from relever.model.rule import Rule
from relever.model.tokens import NOBODY, SNEKMATE, pull, push
from relever.model.vault import SILENCE, Adapter

MAX_DEPOSIT_CAP = 2**112
MAX_EXIT_FEE, MAX_EXIT_BUFFER = WAD // 100, 2**80
MAX_PERFORMANCE_FEE = WAD // 5
NOT_QUEUE = "vault: not the queue"


@dataclass
class VaultContract(ShareContract, Owned):
    """The LRT is its token."""

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
        require(caller == self.parts.allocator, "vault: not the allocator")
        vault = self.parts.vault
        require(vault.clock.time >= vault.paused_until, "vault: paused")
        self._known(adapter)
        vault.allocate(adapter, amount)
        self.parts.wsteth.transfer(VAULT, _protocol(adapter), amount)

    def deallocate(self, caller: str, adapter: str, amount: int) -> int:
        require(caller == self.parts.allocator, "vault: not the allocator")
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
        self.rule.only_owner(caller)
        require(buffer <= MAX_EXIT_BUFFER, "vault: exit buffer")
        require(most <= MAX_EXIT_FEE, "vault: exit fee")
        fee = self.parts.vault.exit_fee
        fee.buffer, fee.most = buffer, most

    def set_performance_fee(self, caller: str, part: int, recipient: str) -> None:
        self.rule.only_owner(caller)
        require(part <= MAX_PERFORMANCE_FEE, "vault: performance fee")
        require(part == 0 or recipient != NOBODY, "vault: no fee recipient")
        self.parts.vault.set_performance_fee(part, recipient)

    def set_allocator(self, caller: str, allocator: str) -> None:
        self.rule.only_owner(caller)
        self.parts.allocator = allocator

    def set_guardian(self, caller: str, guardian: str) -> None:
        """Nobody may be it."""
        self.rule.only_owner(caller)
        self.rule.guardian = guardian

    def add_adapter(self, caller: str, adapter: str, cap: int, share_cap: int) -> None:
        """All adapters that there are have been listed once; what is none does not answer."""
        self.rule.only_owner(caller)
        found = self.parts.vault.adapters.get(adapter)
        require(found is not None and found.answers, SILENCE)
        raise Refused("vault: adapter listed")

    def set_exits(self, caller: str, queue: str, side_pocket: str) -> None:
        """Was done when the vault was made."""
        self.rule.only_owner(caller)
        raise Refused("vault: exits are set")

    # For the queue alone, which does it as a part of what is asked of it

    def join_queue(self, caller: str, shares: int) -> None:
        raise Refused(NOT_QUEUE)

    def settle_queue(self, caller: str, shares: int, burnt: int, assets: int, locked: int) -> None:
        raise Refused(NOT_QUEUE)

    def pass_claim(self, caller: str, account: str, shares: int, supply: int) -> None:
        raise Refused(NOT_QUEUE)

    def pull_back(self, caller: str, adapter: str, amount: int) -> int:
        raise Refused(NOT_QUEUE)

    # Signed by the owner of the shares

    @property
    def rule(self) -> Rule:
        return self.parts.rules[VAULT]

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
        rule = self.rule
        require(caller in (rule.owner, rule.guardian), "vault: not owner or guardian")
        return caller == rule.owner


def _protocol(adapter: str) -> str:
    """Where an adapter's stake is kept."""
    return STRATEGY if adapter == EIGENLAYER else SYMBIOTIC_VAULT
