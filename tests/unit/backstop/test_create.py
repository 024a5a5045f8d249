from dataclasses import replace

import pytest

from relever.protocol import contract_address
from tests.scene import reverts
from tests.unit.backstop.conftest import (
    DISCOUNT,
    MAX_SALE_LOSS,
    SALE_LOSS,
    SEED,
    UNLIMITED,
    WAD,
    Backstop,
    deploy_pool,
)
from tests.unit.vault.conftest import DEAD, deploy_vault


def deploy(place: Backstop, **terms: int) -> None:
    place.weth.approve(
        contract_address(place.chain, place.actors.owner, after=1),
        UNLIMITED,
        sender=place.actors.owner,
    )
    deploy_pool(place.setup, place.weth, place.swap, place.liquidator, **terms)


def test_create__pool__is_bound_to_what_it_was_told(empty: Backstop) -> None:
    pool = empty.pool
    assert pool.asset() == empty.weth.address
    assert pool.LRT() == empty.vault.address
    assert pool.QUEUE() == empty.queue.address
    assert pool.LST() == empty.lst.address
    assert pool.SWAP() == empty.swap.address
    assert pool.LIQUIDATOR() == empty.liquidator.address
    assert pool.FACTORY() == empty.liquidator.address
    assert (pool.discount(), pool.SALE_LOSS()) == (DISCOUNT, SALE_LOSS)
    assert (pool.name(), pool.symbol(), pool.decimals()) == ("Relever backstop", "rBACK", 18)


def test_create__seed__belongs_to_nobody(empty: Backstop) -> None:
    pool = empty.pool
    assert pool.balanceOf(DEAD) == pool.totalSupply() == SEED
    assert pool.cash() == pool.totalAssets() == pool.low_assets() == SEED
    assert pool.joining() == (SEED, SEED)
    assert empty.weth.balanceOf(pool.address) == SEED
    assert (pool.head(), pool.next_id()) == (1, 1)


def test_create__seeder_that_has_not_approved__reverts(empty: Backstop) -> None:
    with reverts("token: allowance"):
        deploy_pool(empty.setup, empty.weth, empty.swap, empty.liquidator)


def test_create__vault_without_a_queue__reverts(empty: Backstop) -> None:
    setup = empty.setup
    vault = deploy_vault(empty.chain, empty.actors, empty.lst)
    with reverts("backstop: vault without queue"):
        deploy_pool(replace(setup, vault=vault), empty.weth, empty.swap, empty.liquidator)


@pytest.mark.parametrize("discount", [0, MAX_SALE_LOSS - 1, 5 * 10**16 + 1, WAD])
def test_create__discount_out_of_bounds__reverts(empty: Backstop, discount: int) -> None:
    with reverts("backstop: discount"):
        deploy(empty, discount=discount)


@pytest.mark.parametrize("discount", [MAX_SALE_LOSS, 5 * 10**16])
def test_create__discount_at_a_bound__is_taken(empty: Backstop, discount: int) -> None:
    deploy(empty, discount=discount)


def test_create__sale_loss_beyond_the_most__reverts(empty: Backstop) -> None:
    with reverts("backstop: sale loss"):
        deploy(empty, sale_loss=MAX_SALE_LOSS + 1)
    deploy(empty, sale_loss=MAX_SALE_LOSS)


@pytest.mark.parametrize("period", [0, 365 * 86_400 + 1])
def test_create__unlock_period_out_of_bounds__reverts(empty: Backstop, period: int) -> None:
    with reverts("backstop: unlock period"):
        deploy(empty, unlock_period=period)


def test_create__unlock_period_at_a_bound__is_taken(empty: Backstop) -> None:
    for period in (1, 365 * 86_400):
        deploy(empty, unlock_period=period)
