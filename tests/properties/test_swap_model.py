"""The swap over Uniswap's own pools against its model, to the unit, from wherever the price stands.

Where the price stops, a unit must still fetch what was asked for.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from random import Random

import pytest

from relever.model.deployed import Deployed
from relever.model.parts import VAULT
from relever.model.pool import MILLION, Pool
from relever.model.protocol import Action, Outcome, Protocol
from relever.model.rounding import WAD
from relever.model.swap import rate_limit, sane_limit
from relever.protocol import UNLIMITED

PAIRS = ((VAULT, "weth"), ("weth", VAULT), ("wsteth", "weth"), ("weth", "wsteth"))
ROUNDS = 160


def rate_at(pool: Pool, sold0: bool, root: int) -> Fraction:
    """What a unit fetches after the fee at a root of the pool's price."""
    price = Fraction(root, 2**96) ** 2
    return (price if sold0 else 1 / price) * (MILLION - pool.fee) / MILLION


def pool_of(model: Protocol, sold: str, bought: str) -> Pool:
    return model.parts.pools["lst_pool" if "wsteth" in (sold, bought) else "lrt_pool"]


def least_rate(pool: Pool, sold0: bool, draw: Random) -> int:
    """Mostly near what the pool pays now, so that a sale ends in its middle."""
    rate = int(rate_at(pool, sold0, pool.sqrt_price) * WAD)
    near = rate * draw.choice((950, 980, 990, 995, 998, 999)) // 1_000
    just = rate + draw.choice((-(10**9), -1, 0, 1, 10**9))
    extreme = draw.choice((1, WAD << 128, UNLIMITED))
    return draw.choice((near, near, near, just, 0, 0, extreme))


def same(deployed: Deployed, model: Protocol, action: Action) -> Outcome:
    """Do it in both; what comes of it, which must be one and the same."""
    expected, found = model.step(action), deployed.send(action)
    assert found == expected, f"{action}: found {found}, expected {expected}"
    return expected


@pytest.mark.parametrize("seed", range(3))
def test_swap_up_to__any_price_amount_and_rate__is_what_the_model_says(
    deployed: Deployed, seed: int
) -> None:
    draw, ended = Random(seed), Counter[str]()
    with deployed.isolated() as there:
        model = there.model()
        deposit = Action("vault.deposit", "trader", (3_000 * WAD, "trader"))
        assert same(there, model, deposit).refused is None
        for _ in range(ROUNDS):
            sold, bought = draw.choice(PAIRS)
            wish = draw.choice((1, 2, 999, WAD, 30 * WAD, 100 * WAD)) * draw.randrange(1, 4)
            amount = min(wish, model.parts.token(sold).balances["trader"])
            pool = pool_of(model, sold, bought)
            sold0, root = pool.token0 == sold, pool.sqrt_price
            least = least_rate(pool, sold0, draw)
            sane, rate = sane_limit(pool, sold0), rate_limit(pool, sold0, least) if least else 0
            sent = same(there, model, Action(f"{sold}.transfer", "trader", ("swap", amount)))
            assert sent.refused is None
            arguments = sold, bought, amount, least, "trader"
            outcome = same(there, model, Action("swap.swap_up_to", "trader", arguments))
            assert outcome.refused is None
            paid, _ = outcome.result
            for name in ("lrt_pool", "lst_pool"):
                assert there.contracts[name].slot0()[0] == model.parts.pools[name].sqrt_price
            assert not model.parts.token(sold).balances["swap"]
            if pool.sqrt_price == root:
                ended["nothing"] += not paid
                continue
            assert rate_at(pool, sold0, pool.sqrt_price) * WAD >= least
            ended["all" if paid == amount else "part"] += 1
            ended["at the sane limit"] += pool.sqrt_price == sane
            ended["at the rate"] += pool.sqrt_price == rate
    ways = ("all", "part", "nothing", "at the sane limit", "at the rate")
    assert all(ended[how] for how in ways), ended
