"""A Chainlink price feed of one oracle: the aggregator keeps the rounds, the proxy is read."""

from __future__ import annotations

from dataclasses import dataclass, replace

from relever.baselayer import parts
from relever.chain import Chain, Contract, Receipt

DECIMALS = 18
# What the aggregator takes as an answer, in wei: positive, far above any price.
_MIN_ANSWER = 1
_MAX_ANSWER = 10**30
_NOBODY = "0x0000000000000000000000000000000000000000"


@dataclass(frozen=True)
class Feed:
    """A price with 18 decimals. It has no round until the first `answer`."""

    description: str
    proxy: Contract
    aggregator: Contract
    oracle: str

    def answer(self, price: int) -> Receipt:
        """Submit the next round, as the oracle.

        Args:
            price: in units of 1e-18, positive.
        """
        next_round = self.aggregator.latestRound() + 1
        receipt: Receipt = self.aggregator.submit(next_round, price, sender=self.oracle)
        return receipt

    def on(self, chain: Chain) -> Feed:
        """The same feed seen through another chain, such as a fork of this one."""
        return replace(
            self,
            proxy=chain.contract(self.proxy.address, parts.chainlink("EACAggregatorProxy")),
            aggregator=chain.contract(self.aggregator.address, parts.chainlink("FluxAggregator")),
        )


def deploy_feed(chain: Chain, description: str, admin: str, oracle: str) -> Feed:
    """Deploy an aggregator that believes `oracle` alone and pays it nothing, and its proxy."""
    aggregator = chain.deploy(
        parts.chainlink("FluxAggregator"),
        _NOBODY,  # LINK, which is only needed to pay
        0,  # LINK per answer
        0,  # seconds until a round may be passed over: one answer completes it anyway
        _NOBODY,  # validator
        _MIN_ANSWER,
        _MAX_ANSWER,
        DECIMALS,
        description,
        sender=admin,
    )
    # One oracle, one answer per round, no pause between its rounds.
    aggregator.changeOracles([], [oracle], [admin], 1, 1, 0, sender=admin)
    proxy = chain.deploy(
        parts.chainlink("EACAggregatorProxy"), aggregator.address, _NOBODY, sender=admin
    )
    return Feed(description, proxy, aggregator, oracle)
