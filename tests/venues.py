"""Our market, the real Morpho Blue and the real Aave, side by side behind one router."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from bench.aave import deploy_pool
from bench.peers import ADAPTIVE_CURVE_IRM, MORPHO
from bench.peers import MorphoMarket as Market
from bench.solc import compiled
from bench.venues import Tokens
from relever.artifacts import artifact
from relever.chain import Contract
from relever.model import signing
from relever.parts import wheel_json
from relever.protocol import UNLIMITED, WAD, Deployment
from relever.venues import AavePool, MorphoMarket, deploy_router
from tests.scene import ETHER, NO_DEADLINE, lend

LLTV = 93 * WAD // 100
LENT = 1_000 * ETHER
NOT_SIGNED = (0, 0, b"")
NO_GRANTS = (NOT_SIGNED, NOT_SIGNED, False, NOT_SIGNED)
FUNDAMENTAL = False
_AAVE = "web3-ethereum-defi"
# Morpho's library logs, so that its own ABI does not say what.
_MORPHO_EVENTS = {
    "FlashLoan": "+caller +token assets",
    "SupplyCollateral": "*id +caller +onBehalf assets",
    "WithdrawCollateral": "*id caller +onBehalf +receiver assets",
    "Borrow": "*id caller +onBehalf +receiver assets shares",
    "Repay": "*id +caller +onBehalf assets shares",
    "SetAuthorization": "+caller +authorizer +authorized ?newIsAuthorized",
    "IncrementNonce": "+caller +authorizer usedNonce",
    "AccrueInterest": "*id prevBorrowRate interest feeShares",
}
_WORDS = {"value": "uint256", "nonce": "uint256", "deadline": "uint256"}
_MORPHO_AUTHORIZATION = {
    "authorizer": "address",
    "authorized": "address",
    "isAuthorized": "bool",
    "nonce": "uint256",
    "deadline": "uint256",
}


@dataclass
class Place(ABC):
    """Where a position can be.

    Attributes:
        entry: what the router is told, with the doors of `IVenue`.
        pool: where the money lies, and whom lenders pay.
    """

    scene: Deployment
    router: Contract
    entry: Contract
    pool: Contract

    def position(self, owner: str) -> tuple[int, int]:
        collateral, debt = self.entry.position(owner)
        return collateral, debt

    def grants(self, owner: str, collateral: int = 0, debt: int = 0, permit: Any = None) -> Any:
        """Every right that taking collateral out or adding debt asks for, given and taken back."""
        right, back = self.sign(owner, collateral, debt)
        return (permit or NOT_SIGNED, right, True, back)

    @abstractmethod
    def sign(self, owner: str, collateral: int, debt: int) -> tuple[Any, Any]:
        """The signature that gives the right, and the one that takes it back."""

    @abstractmethod
    def rights(self, owner: str) -> bool:
        """Whether the router has a right over the owner's position."""

    @abstractmethod
    def give_rights(self, owner: str) -> None:
        """The owner lets the router do anything there, by transactions."""

    @abstractmethod
    def drain(self) -> None:
        """Lenders leave, so that there is nothing to borrow: use of 100 %."""


class Ours(Place):
    def sign(self, owner: str, collateral: int, debt: int) -> tuple[Any, Any]:
        nonce = self.entry.nonces(owner)
        words = (owner, self.router.address, True, nonce, NO_DEADLINE)
        given = signing.authorization(self.scene.chain, self.entry, owner, *words)
        return (nonce, NO_DEADLINE, given), NOT_SIGNED

    def rights(self, owner: str) -> bool:
        return bool(self.entry.is_authorized(owner, self.router.address))

    def give_rights(self, owner: str) -> None:
        self.entry.set_authorization(self.router.address, True, sender=owner)

    def drain(self) -> None:
        lender = self.scene.roles.lender
        self.entry.withdraw(self.entry.maxWithdraw(lender), lender, lender, sender=lender)


@dataclass
class Morpho(Place):
    market: Market

    def sign(self, owner: str, collateral: int, debt: int) -> tuple[Any, Any]:
        nonce = self.pool.nonce(owner)
        pair = (self._signed(owner, True, nonce), self._signed(owner, False, nonce + 1))
        return pair

    def _signed(self, owner: str, authorized: bool, nonce: int) -> Any:
        domain = {"verifyingContract": self.pool.address}
        words = (owner, self.entry.address, authorized, nonce, NO_DEADLINE)
        kind = ("Authorization", _MORPHO_AUTHORIZATION)
        return nonce, NO_DEADLINE, signing.signature(self.scene.chain, owner, domain, *kind, *words)

    def rights(self, owner: str) -> bool:
        return bool(self.pool.isAuthorized(owner, self.entry.address))

    def give_rights(self, owner: str) -> None:
        self.pool.setAuthorization(self.entry.address, True, sender=owner)

    def drain(self) -> None:
        supplied, _, borrowed, *_ = self.pool.market(self.market.id)
        lender, left = self.scene.roles.lender, supplied - borrowed
        terms = self.market.parameters
        self.pool.withdraw(terms, left, 0, lender, lender, sender=lender)


@dataclass
class Aave(Place):
    a_token: Contract
    debt_token: Contract

    def sign(self, owner: str, collateral: int, debt: int) -> tuple[Any, Any]:
        if collateral:
            token, kind, amount = self.a_token, "Permit", collateral
            who = {"owner": "address", "spender": "address"}
            words: tuple[Any, ...] = (owner, self.entry.address)
        else:
            token, kind, amount = self.debt_token, "DelegationWithSig", debt
            who, words = {"delegatee": "address"}, (self.entry.address,)
        domain = {"name": token.name(), "version": "1", "verifyingContract": token.address}
        words = (*words, amount, token.nonces(owner), NO_DEADLINE)
        signed = signing.signature(self.scene.chain, owner, domain, kind, {**who, **_WORDS}, *words)
        return (0, NO_DEADLINE, signed), NOT_SIGNED

    def rights(self, owner: str) -> bool:
        credit = self.debt_token.borrowAllowance(owner, self.entry.address)
        return bool(credit or self.a_token.allowance(owner, self.entry.address))

    def give_rights(self, owner: str) -> None:
        self.debt_token.approveDelegation(self.entry.address, UNLIMITED, sender=owner)
        self.a_token.approve(self.entry.address, UNLIMITED, sender=owner)

    def drain(self) -> None:
        weth, lender = self.scene.world.core.weth, self.scene.roles.lender
        left = weth.balanceOf(self.pool.getReserveData(weth.address)[8])
        self.pool.withdraw(weth.address, left, lender, sender=lender)


@dataclass(frozen=True)
class Places:
    """A router, and the three places that it knows."""

    scene: Deployment
    router: Contract
    by_name: dict[str, Place]

    def __getitem__(self, name: str) -> Place:
        return self.by_name[name]


NAMES = ("ours", "morpho", "aave")


def deploy_places(scene: Deployment) -> Places:
    """Each with a lender's WETH; the router is one of its own over the suite's other contracts."""
    chain, owner, core, protocol = scene.chain, scene.roles.owner, scene.world.core, scene.protocol
    weth, vault = core.weth, protocol.vault
    market = _deploy_morpho(scene)
    lend(scene, LENT)
    face = chain.deploy(
        artifact("ChainlinkFace"), protocol.oracle.address, FUNDAMENTAL, 18, "rLRT", sender=owner
    )
    pool = deploy_pool(Tokens(chain, owner, weth, vault, face), 0)
    scene.world.fund(scene.roles.lender, weth=2 * LENT)
    for place in (pool, market.morpho):
        weth.approve(place.address, LENT, sender=scene.roles.lender)
    lender = scene.roles.lender
    pool.supply(weth.address, LENT, lender, 0, sender=lender)
    market.morpho.supply(market.parameters, LENT, 0, lender, b"", sender=lender)

    places = (
        MorphoMarket(market.morpho.address, market.parameters),
        AavePool(pool.address, protocol.market.address),
    )
    router, (morpho_venue, aave_venue) = deploy_router(protocol, places, owner)
    a_token = chain.contract(aave_venue.A_TOKEN(), _aave("ATokenInstance"))
    debt_token = chain.contract(aave_venue.DEBT_TOKEN(), _aave("VariableDebtTokenInstance"))
    return Places(
        scene,
        router,
        {
            "ours": Ours(scene, router, protocol.market, protocol.market),
            "morpho": Morpho(scene, router, morpho_venue, market.morpho, market),
            "aave": Aave(scene, router, aave_venue, pool, a_token, debt_token),
        },
    )


def _deploy_morpho(scene: Deployment) -> Market:
    chain, owner, protocol = scene.chain, scene.roles.owner, scene.protocol
    code, irm_code = compiled([MORPHO, ADAPTIVE_CURVE_IRM])
    face = chain.deploy(artifact("MorphoFace"), protocol.oracle.address, FUNDAMENTAL, sender=owner)
    morpho = chain.deploy(code, owner, sender=owner)
    chain.contract(morpho.address, _morpho_events())
    irm = chain.deploy(irm_code, morpho.address, sender=owner)
    tokens = (scene.world.core.weth.address, protocol.vault.address)
    market = Market(morpho, (*tokens, face.address, irm.address, LLTV))
    morpho.enableIrm(irm.address, sender=owner)
    morpho.enableLltv(LLTV, sender=owner)
    morpho.createMarket(market.parameters, sender=owner)
    return market


def _morpho_events() -> list[dict[str, Any]]:
    """As ABI entries: `*` an indexed id, `+` an indexed address, `?` a truth value."""
    marks = {"*": "bytes32", "+": "address", "?": "bool"}

    def entry(word: str) -> dict[str, Any]:
        kind = marks.get(word[0]) or ("address" if word == "caller" else "uint256")
        return {"name": word.lstrip("*+?"), "type": kind, "indexed": word[0] in "*+"}

    return [
        {
            "type": "event",
            "name": name,
            "anonymous": False,
            "inputs": [entry(word) for word in words.split()],
        }
        for name, words in _MORPHO_EVENTS.items()
    ]


def _aave(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = wheel_json(_AAVE, f"eth_defi/abi/aave_v3/{name}.json")["abi"]
    return found
