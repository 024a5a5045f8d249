"""The tokens below the suite."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.parts import STRATEGY, Parts
from relever.model.refused import require
from relever.model.tokens import NOBODY, Erc20


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
class ShareContract(TokenContract):
    """An ERC-20 of snekmate's, with permit; it is known by a name."""

    name: str

    def permit(
        self,
        caller: str,
        owner: str,
        spender: str,
        amount: int,
        deadline: int,
        signer: str,
        nonce: int,
    ) -> None:
        """Somebody brings what `signer` has signed under a nonce."""
        permits, key = self.parts.permits, (self.name, owner)
        require(self.parts.clock.time <= deadline, "erc20: expired deadline")
        require(signer != NOBODY, "ecdsa: invalid signature")
        expected = permits.get(key, 0)
        require(signer == owner and nonce == expected, "erc20: invalid signature")
        permits[key] = expected + 1
        self.token.approve(owner, spender, amount)


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
