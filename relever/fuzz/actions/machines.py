"""Which ways a machine takes, and how often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from relever.fuzz.actions import (
    access,
    backstop,
    baselayer,
    callbacks,
    leverage,
    leveraged,
    market,
    market_storms,
    oracle,
    orders,
    ownership,
    queue,
    settings,
    signatures,
    tokens,
    vault,
    vault_storms,
)
from relever.model.protocol import Action

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

# Weight, name, and who chooses the action.
Way = tuple[int, str, Callable[["Planner"], Action]]

AREAS: dict[str, Sequence[Way]] = {
    "vault": vault.WAYS,
    "queue": queue.WAYS,
    "market": market.WAYS,
    "oracle": oracle.WAYS,
    "leverage": leverage.WAYS,
    "orders": orders.WAYS,
    "leveraged": leveraged.WAYS,
    "backstop": backstop.WAYS,
    "tokens": tokens.WAYS,
    "baselayer": baselayer.WAYS,
    "settings": settings.WAYS,
    "ownership": ownership.WAYS,
    "signatures": signatures.WAYS,
    "callbacks": callbacks.WAYS,
    "access": access.WAYS,
    "vault_storms": vault_storms.WAYS,
    "market_storms": market_storms.WAYS,
}


def _machine(**times: int) -> list[Way]:
    """These areas' ways, with so many times their weights."""
    return [
        (weight * factor, name, choose)
        for area, factor in times.items()
        for weight, name, choose in AREAS[area]
    ]


MACHINES: dict[str, list[Way]] = {
    "protocol": _machine(**dict.fromkeys(AREAS, 1)),
    "vault": _machine(
        vault=4, queue=4, baselayer=3, tokens=1, settings=2, ownership=1, access=1, vault_storms=3
    ),
    "market": _machine(
        market=4, oracle=3, callbacks=2, signatures=1, settings=1, access=1, market_storms=4
    ),
    "leverage": _machine(
        leverage=5, orders=3, market=2, oracle=1, vault=1, tokens=1, baselayer=1, market_storms=2
    ),
    "derivatives": _machine(
        leveraged=5, backstop=5, queue=2, market=1, oracle=1, vault=1, tokens=1, baselayer=1
    ),
}
