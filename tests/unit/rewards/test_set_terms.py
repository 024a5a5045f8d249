import pytest

from relever.artifacts import artifact
from relever.chain import Contract
from tests.scene import reverts
from tests.unit.rewards.conftest import DISCOUNT, NOBODY, WAD, WETH_DISCOUNT, Shop

LARGEST = 5 * 10**16


@pytest.fixture
def token(shop: Shop) -> Contract:
    return shop.chain.deploy(artifact("SettableToken"), 18, 0)


def test_set_terms__by_the_owner__stored_and_told(shop: Shop, token: Contract) -> None:
    terms = shop.terms(discount=LARGEST)
    receipt = shop.set_terms(token, terms)
    assert tuple(shop.seller.terms(token.address)) == terms
    assert receipt.events == [shop.event("TermsSet", token=token.address, terms=terms)]


def test_set_terms__again__replaces_them(shop: Shop) -> None:
    other = shop.terms(discount=DISCOUNT // 2)
    shop.set_terms(shop.reward, other)
    assert tuple(shop.seller.terms(shop.reward.address)) == other


@pytest.mark.parametrize("role", ["guardian", "stranger", "keeper", "allocator"])
def test_set_terms__by_anyone_else__reverts(shop: Shop, token: Contract, role: str) -> None:
    with reverts("ownable: caller is not the owner"):
        shop.seller.set_terms(token.address, shop.terms(), sender=getattr(shop.world.roles, role))


def test_set_terms__discount_out_of_bounds__reverts(shop: Shop, token: Contract) -> None:
    for discount, reason in (
        (0, "rewards: no discount"),
        (LARGEST + 1, "rewards: discount too large"),
        (WAD, "rewards: discount too large"),
        (2**256 - 1, "rewards: discount too large"),
    ):
        with reverts(reason):
            shop.set_terms(token, shop.terms(discount=discount))


def test_set_terms__incomplete__reverts(shop: Shop, token: Contract) -> None:
    feed, max_age, discount, swap = shop.terms()
    with reverts("rewards: max age"):
        shop.set_terms(token, (feed, 0, discount, swap))
    with reverts("rewards: no swap"):
        shop.set_terms(token, (feed, max_age, discount, NOBODY))
    with reverts(""):
        shop.set_terms(token, (NOBODY, max_age, discount, swap))


def test_set_terms__too_many_decimals__reverts(shop: Shop, token: Contract) -> None:
    fine = shop.chain.deploy(artifact("SettableToken"), 19, 0)
    with reverts("rewards: token decimals"):
        shop.set_terms(fine, shop.terms())
    feed = shop.chain.deploy(artifact("SettableFeed"), 19)
    with reverts("rewards: feed decimals"):
        shop.set_terms(token, shop.terms(feed=feed.address))


def test_set_terms__of_the_asset__reverts(shop: Shop) -> None:
    with reverts("rewards: terms of the asset"):
        shop.set_terms(shop.asset, shop.terms())


@pytest.mark.parametrize("part", [0, 1, 3])
def test_set_terms__weth_with_a_feed_or_a_swap__reverts(shop: Shop, part: int) -> None:
    terms: list[object] = [NOBODY, 0, WETH_DISCOUNT, NOBODY]
    terms[part] = shop.terms()[part]
    with reverts("rewards: terms of weth"):
        shop.set_terms(shop.weth, tuple(terms))


@pytest.mark.parametrize("role", ["owner", "guardian"])
def test_remove_token__by_owner_or_guardian__gone_and_told(shop: Shop, role: str) -> None:
    sender = getattr(shop.world.roles, role)
    for token in (shop.reward, shop.weth):
        receipt = shop.seller.remove_token(token.address, sender=sender)
        assert tuple(shop.seller.terms(token.address)) == (NOBODY, 0, 0, NOBODY)
        assert receipt.events == [shop.event("TokenRemoved", token=token.address)]


@pytest.mark.parametrize("role", ["stranger", "keeper", "allocator"])
def test_remove_token__by_anyone_else__reverts(shop: Shop, role: str) -> None:
    with reverts("rewards: not owner or guardian"):
        shop.seller.remove_token(shop.reward.address, sender=getattr(shop.world.roles, role))


def test_remove_token__without_terms__reverts(shop: Shop, token: Contract) -> None:
    for unknown in (token, shop.asset):
        with reverts("rewards: nothing to remove"):
            shop.seller.remove_token(unknown.address, sender=shop.owner)


def test_set_guardian__by_the_owner__changes_who_may_remove(shop: Shop) -> None:
    roles, seller = shop.world.roles, shop.seller
    receipt = seller.set_guardian(roles.keeper, sender=shop.owner)
    assert receipt.events == [shop.event("GuardianSet", guardian=roles.keeper)]
    with reverts("rewards: not owner or guardian"):
        seller.remove_token(shop.reward.address, sender=roles.guardian)
    seller.remove_token(shop.reward.address, sender=roles.keeper)


def test_set_guardian__by_another_or_to_nobody__reverts(shop: Shop) -> None:
    roles = shop.world.roles
    for role in ("guardian", "stranger"):
        with reverts("ownable: caller is not the owner"):
            shop.seller.set_guardian(roles.stranger, sender=getattr(roles, role))
    with reverts("rewards: guardian"):
        shop.seller.set_guardian(NOBODY, sender=shop.owner)


def test_ownership__two_steps__new_owner_sets_terms(shop: Shop, token: Contract) -> None:
    roles, seller = shop.world.roles, shop.seller
    seller.transfer_ownership(roles.keeper, sender=shop.owner)
    assert seller.owner() == shop.owner
    seller.accept_ownership(sender=roles.keeper)
    seller.set_terms(token.address, shop.terms(), sender=roles.keeper)
    with reverts("ownable: caller is not the owner"):
        shop.set_terms(token, shop.terms())


def test_create__terms__are_as_given(shop: Shop) -> None:
    seller = shop.seller
    assert seller.vault() == shop.vault.address
    assert seller.asset() == shop.asset.address
    assert seller.weth() == shop.weth.address
    assert seller.exit_swap() == shop.swap.address
    assert seller.guardian() == shop.world.roles.guardian
    assert seller.owner() == shop.owner


def create(shop: Shop, vault: str, swap: str, guardian: str) -> Contract:
    return shop.chain.deploy(artifact("RewardsSeller"), vault, shop.weth.address, swap, guardian)


def test_create__nobody_as_swap_or_guardian__reverts(shop: Shop) -> None:
    vault, swap, guardian = shop.vault.address, shop.swap.address, shop.world.roles.guardian
    with reverts("rewards: no exit swap"):
        create(shop, vault, NOBODY, guardian)
    with reverts("rewards: guardian"):
        create(shop, vault, swap, NOBODY)


def test_create__asset_without_a_rate__reverts(shop: Shop) -> None:
    rates = shop.chain.deploy(artifact("SettableRates"), WAD, 0)
    asking = shop.chain.deploy(artifact("AssetOf"), rates.address)
    with reverts("rewards: asset without a rate"):
        create(shop, asking.address, shop.swap.address, shop.world.roles.guardian)
