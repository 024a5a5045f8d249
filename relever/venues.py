"""A router with other protocols' markets beside our own, in one call.

A venue names its router and the router its venues, both for good. So the venues come first, with
the address that the router will have, and one sender deploys all of them in a row. The suite's own
router (`relever.protocol`) has no venues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from relever.artifacts import artifact
from relever.chain import Contract
from relever.protocol import Protocol, contract_address

# As many as the router takes.
MOST = 8


@dataclass(frozen=True)
class MorphoMarket:
    """A market of Morpho Blue.

    Attributes:
        morpho: Morpho's address.
        parameters: loan, collateral, oracle and interest rate model; the LLTV in WAD.
    """

    morpho: str
    parameters: tuple[str, str, str, str, int]


@dataclass(frozen=True)
class AavePool:
    """The two tokens' reserves in a pool of Aave v3.

    Attributes:
        pool: the pool's address.
        lender: gives free ERC-3156 flash loans of WETH, such as a market of ours.
    """

    pool: str
    lender: str


def deploy_router(
    protocol: Protocol, places: Sequence[MorphoMarket | AavePool], sender: str
) -> tuple[Contract, list[Contract]]:
    """Deploy a venue for each place, then their router, over what the suite's own stands on.

    Args:
        places: at most 8, in the order of the venues that come back.
        sender: who deploys; it must send nothing else meanwhile.

    Raises:
        ValueError: too many places.
        Revert: a place is not there, or the sender's transactions did not follow one another: then
            the router refuses venues that name another one.
    """
    if len(places) > MOST:
        raise ValueError(f"a router takes {MOST} venues at most, not {len(places)}")
    chain, own = protocol.chain, protocol.router
    router = contract_address(chain, sender, after=len(places))
    venues = [
        chain.deploy(artifact(kind), router, *arguments, sender=sender)
        for kind, arguments in (_venue(protocol, place) for place in places)
    ]
    path = (own.FACTORY(), own.LRT(), own.LST(), own.WETH(), own.SWAP(), own.STABLE_SWAP())
    addresses = [venue.address for venue in venues]
    return chain.deploy(artifact("LeverageRouter"), *path, addresses, sender=sender), venues


def _venue(protocol: Protocol, place: MorphoMarket | AavePool) -> tuple[str, tuple[Any, ...]]:
    """The contract, and what its constructor takes after the router."""
    if isinstance(place, MorphoMarket):
        return "MorphoVenue", (place.morpho, place.parameters)
    tokens = protocol.router.WETH(), protocol.router.LRT()
    return "AaveVenue", (place.pool, place.lender, *tokens)
