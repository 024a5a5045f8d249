"""A setting is changed, and positions that were healthy are liquidated in the next block.

Pac Finance, 2024-04-11 (24 to 26 million dollars liquidated within seconds): one key cut the
liquidation threshold, with no delay. Here it would be our owner or guardian, or who stole their
keys, and a bot of theirs that liquidates. What stops it: threshold, LTV, bonus and oracle are
immutable, and nothing that owner, guardian or allocator may set lowers a price, raises a debt or
stops a repayment.
"""

from relever.chain import Call
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.scene import ETHER, open_leveraged, reverts

MUCH = 10**26


def settings(scene: Deployment, who: str) -> list[Call]:
    """Everything that can be set, to what hurts most."""
    protocol, thief = scene.protocol, scene.roles.stranger
    market, vault, factory = protocol.market, protocol.vault, protocol.factory
    fee = market.caps().fee
    return [
        market.set_caps.build((0, 0, fee), sender=who),
        market.set_caps.build((0, 0, WAD // 4), sender=who),
        market.set_caps.build((MUCH, MUCH, 0), sender=who),
        factory.delist_market.build(market.address, sender=who),
        factory.set_guardian.build(thief, sender=who),
        factory.transfer_ownership.build(thief, sender=who),
        protocol.oracle.accept_supply.build(0, sender=who),
        protocol.oracle.accept_supply.build(UNLIMITED, sender=who),
        vault.set_deposit_cap.build(0, sender=who),
        vault.set_adapter_caps.build(protocol.eigenlayer.address, 0, 0, sender=who),
        vault.set_exit_fee.build(10**24, WAD // 100, sender=who),
        vault.set_performance_fee.build(WAD // 5, thief, sender=who),
        vault.pause.build(86_400, sender=who),
        vault.set_allocator.build(thief, sender=who),
        vault.set_guardian.build(thief, sender=who),
    ]


def test_settings__all_of_them_at_their_worst__flip_nobodys_health(scene: Deployment) -> None:
    protocol, roles = scene.protocol, scene.roles
    market, oracle = protocol.market, protocol.oracle
    open_leveraged(scene, 3 * ETHER, 36 * ETHER)
    terms, prices = market.terms(), (oracle.price(), oracle.liquidation_prices())
    owed = [tuple(market.position(who)) for who in (roles.looper, roles.borrower)]
    lent = market.convertToAssets(market.balanceOf(roles.lender))
    took_effect = set()
    # The guardian first: the owner's settings take its rights away.
    for who in (roles.guardian, roles.allocator, roles.owner, roles.stranger):
        for call in settings(scene, who):
            (receipt,) = scene.chain.send_batch([call], check=False)
            if receipt.status:
                took_effect.add((who, call.label))
            for victim in (roles.looper, roles.borrower):
                with reverts("market: healthy"):
                    market.liquidate(victim, UNLIMITED, 0, sender=roles.stranger)
            assert (oracle.price(), oracle.liquidation_prices()) == prices
    assert market.terms() == terms
    assert [tuple(market.position(who)) for who in (roles.looper, roles.borrower)] == owed
    assert market.convertToAssets(market.balanceOf(roles.lender)) == lent
    by_owner = {label for who, label in took_effect if who == roles.owner}
    assert len(by_owner) > 8

    # Everyone gets out after all that.
    scene.world.fund(roles.borrower, weth=20 * ETHER)
    scene.world.core.weth.approve(market.address, UNLIMITED, sender=roles.borrower)
    market.repay(UNLIMITED, roles.borrower, sender=roles.borrower)
    held = market.position(roles.borrower)[0]
    market.withdraw_collateral(held, roles.borrower, roles.borrower, sender=roles.borrower)
    cash = market.maxWithdraw(roles.lender)
    market.withdraw(cash, roles.lender, roles.lender, sender=roles.lender)


def test_fee__raised_to_its_most__is_not_taken_of_what_was_earned_before(scene: Deployment) -> None:
    protocol, roles = scene.protocol, scene.roles
    market = protocol.market
    scene.chain.advance(30 * 86_400)
    caps = market.caps()
    expected = market.convertToAssets(market.balanceOf(roles.lender))
    earned = market.balanceOf(market.address), market.totalSupply()
    market.set_caps((caps.supply, caps.borrow, WAD // 4), sender=roles.owner)
    assert market.convertToAssets(market.balanceOf(roles.lender)) == expected
    assert market.balanceOf(market.address) > earned[0]
    assert market.totalSupply() == earned[1]
    with reverts("market: fee"):
        market.set_caps((caps.supply, caps.borrow, WAD // 4 + 10**9), sender=roles.owner)
