"""An attacker makes a market of its own at our factory, and lets the two meet.

Cork, 2025-05-28 (12 million dollars): anyone could make a market whose token was another market's
share, and whose rate and hooks the maker controlled; one side's tokens were then taken as the
other's. Here it would be a market of the attacker's oracle and tokens, with ours as its loan token,
its collateral, its borrower or its caller. What stops it: markets share nothing but their code. No
position, right, nonce, approval or token of one counts at another, a new market has caps of zero,
and the suite's helpers enter listed markets only.
"""

from dataclasses import dataclass

import pytest

from relever.artifacts import artifact
from relever.chain import Contract, Revert
from relever.protocol import UNLIMITED, Deployment
from tests.attacks.purse import new_wallet, purse
from tests.scene import ETHER, holdings, open_leveraged, reverts

CAPS = (10**26, 10**26, 0)


@dataclass(frozen=True)
class Trap:
    """The attacker's market, its oracle and its own token."""

    scene: Deployment
    market: Contract
    oracle: Contract
    token: Contract


def make(scene: Deployment, loan: str | None = None, collateral: str | None = None) -> Trap:
    """A market of the same factory; the token that is not named is the attacker's."""
    chain, attacker, protocol = scene.chain, scene.roles.stranger, scene.protocol
    token = chain.deploy(artifact("SettableToken"), 18, 0, sender=attacker)
    oracle = chain.deploy(artifact("ConstantOracle"), 10**36, sender=attacker)
    pair = {"loan": loan or token.address, "collateral": collateral or token.address}
    terms = protocol.market.terms()._replace(oracle=oracle.address, **pair)
    made = protocol.factory.create_market(tuple(terms), "Trap", "TRAP", sender=attacker)
    market = chain.contract(made.events[-1].args["market"], artifact("LendingMarket"))
    return Trap(scene, market, oracle, token)


def snapshot(scene: Deployment) -> list[object]:
    """All that our market knows and holds, and everyone in it."""
    protocol, roles = scene.protocol, scene.roles
    people = (roles.lender, roles.borrower, roles.looper)
    return [
        protocol.market.state(),
        protocol.market.caps(),
        [tuple(protocol.market.position(who)) for who in people],
        [holdings(scene, who) for who in (*people, protocol.market.address)],
        protocol.oracle.price(),
        protocol.oracle.liquidation_prices(),
    ]


@pytest.fixture
def trap(scene: Deployment) -> Trap:
    """Loan token WETH, collateral a token of which the attacker has as much as it likes."""
    open_leveraged(scene, 3 * ETHER, 30 * ETHER)
    return make(scene, loan=scene.world.core.weth.address)


def test_market__of_a_price_without_bound__has_nothing_to_lend_but_its_makers(trap: Trap) -> None:
    scene, market, attacker = trap.scene, trap.market, trap.scene.roles.stranger
    weth = scene.world.core.weth
    before = snapshot(scene)
    trap.oracle.set_price(2**139, sender=attacker)
    trap.token.mint(attacker, 10**30, sender=attacker)
    trap.token.approve(market.address, UNLIMITED, sender=attacker)
    scene.world.fund(attacker, weth=10 * ETHER)
    weth.approve(market.address, UNLIMITED, sender=attacker)
    market.supply_collateral(10**30, attacker, sender=attacker)
    # Nobody can even lend to it by mistake before the factory's owner has looked at it.
    with reverts("market: supply cap"):
        market.deposit(1, attacker, sender=attacker)
    with reverts("market: not enough cash"):
        market.borrow(ETHER, attacker, attacker, sender=attacker)
    assert snapshot(scene) == before

    # And with caps, it lends what was lent to it.
    market.set_caps(CAPS, sender=scene.roles.owner)
    market.deposit(10 * ETHER, attacker, sender=attacker)
    with reverts("market: not enough cash"):
        market.borrow(10 * ETHER + 1, attacker, attacker, sender=attacker)
    market.borrow(10 * ETHER, attacker, attacker, sender=attacker)
    trap.oracle.set_price(0, sender=attacker)
    market.liquidate(attacker, UNLIMITED, 0, sender=attacker)
    assert market.totalAssets() == 0
    assert snapshot(scene) == before


def test_position_and_rights__at_the_trap__are_nothing_at_ours(trap: Trap) -> None:
    """The victim is talked into trusting the attacker at the trap."""
    scene, ours, attacker = trap.scene, trap.scene.protocol.market, trap.scene.roles.stranger
    victim = scene.roles.borrower
    trap.market.set_authorization(attacker, True, sender=victim)
    trap.token.mint(attacker, 10**30, sender=attacker)
    trap.token.approve(trap.market.address, UNLIMITED, sender=attacker)
    trap.market.supply_collateral(10**30, attacker, sender=attacker)
    before = snapshot(scene)
    assert trap.market.is_authorized(victim, attacker)
    assert not ours.is_authorized(victim, attacker)
    assert ours.nonces(victim) == 0 < trap.market.nonces(victim)
    with reverts("market: not authorized"):
        ours.withdraw_collateral(1, victim, attacker, sender=attacker)
    with reverts("market: not authorized"):
        ours.borrow(ETHER, victim, attacker, sender=attacker)
    with reverts("market: unhealthy"):
        ours.borrow(ETHER, attacker, attacker, sender=attacker)
    with reverts("market: not enough collateral"):
        ours.withdraw_collateral(1, attacker, attacker, sender=attacker)
    with reverts("market: healthy"):
        ours.liquidate(victim, UNLIMITED, 0, sender=attacker)
    with reverts("market: not enough shares"):
        ours.redeem(10**6, attacker, attacker, sender=attacker)
    assert snapshot(scene) == before


def test_approvals__given_to_ours__are_out_of_the_traps_reach(trap: Trap) -> None:
    """Who approved our market approved no other, and no loan is pressed on who did not ask."""
    scene, ours, attacker = trap.scene, trap.scene.protocol.market, trap.scene.roles.stranger
    core, victim = scene.world.core, scene.roles.lender
    scene.world.fund(victim, weth=5 * ETHER)
    core.weth.approve(ours.address, UNLIMITED, sender=victim)
    before = snapshot(scene)
    for market in (ours, trap.market):
        suite = [*scene.protocol.addresses().values(), core.weth.address, victim]
        for receiver in (*suite, ours.address, trap.market.address):
            with pytest.raises(Revert):
                market.flashLoan(receiver, core.weth.address, 0, b"gift", sender=attacker)
            with pytest.raises(Revert):
                market.flashLoan(receiver, core.weth.address, ETHER, b"gift", sender=attacker)
    assert snapshot(scene) == before


@pytest.mark.parametrize("side", ["loan", "collateral"])
def test_our_shares__as_the_traps_token__are_refused(scene: Deployment, side: str) -> None:
    """Cork: a share of one market is what another is about. Ours have 24 decimals."""
    before = scene.protocol.market.state()
    with pytest.raises(Revert) as failure:
        make(scene, **{side: scene.protocol.market.address})
    assert failure.value.reason.endswith("token decimals")
    assert scene.protocol.market.state() == before


def test_our_collateral__as_the_traps_loan__is_not_borrowed_from_ours(scene: Deployment) -> None:
    """The LRT that our borrowers have put in is not there for the trap's borrowers."""
    ours, vault = scene.protocol.market, scene.protocol.vault
    attacker, lrt = scene.roles.stranger, scene.protocol.vault.address
    trap = make(scene, loan=lrt)
    trap.market.set_caps(CAPS, sender=scene.roles.owner)
    trap.oracle.set_price(2**139, sender=attacker)
    trap.token.mint(attacker, 10**30, sender=attacker)
    trap.token.approve(trap.market.address, UNLIMITED, sender=attacker)
    trap.market.supply_collateral(10**30, attacker, sender=attacker)
    before = snapshot(scene)
    assert vault.balanceOf(ours.address) > 0 == trap.market.maxFlashLoan(lrt)
    with reverts("market: not enough cash"):
        trap.market.borrow(ETHER, attacker, attacker, sender=attacker)
    with reverts("market: flash loan token"):
        ours.flashLoan(attacker, lrt, 1, b"", sender=attacker)
    assert snapshot(scene) == before


def test_trap__entered_in_the_middle_of_ours__finds_ours_locked(trap: Trap) -> None:
    """Both in one transaction, one inside the other: only the way in from outside is open."""
    scene, ours, attacker = trap.scene, trap.scene.protocol.market, trap.scene.roles.stranger
    core = scene.world.core
    wallet = new_wallet(scene, attacker)
    trap.market.set_caps(CAPS, sender=scene.roles.owner)
    trap.token.mint(wallet.address, 10**30, sender=attacker)
    scene.world.fund(attacker, weth=10 * ETHER)
    core.weth.transfer(wallet.address, 10 * ETHER, sender=attacker)
    for token, spender in ((core.weth, ours), (core.weth, trap.market), (trap.token, trap.market)):
        wallet.run(token.address, token.approve.encode(spender.address, UNLIMITED))
    mine, lender = purse(scene, wallet.address), purse(scene, scene.roles.lender)
    state = ours.state()
    inner = [
        (trap.market.address, trap.market.deposit.encode(100 * ETHER, wallet.address)),
        (
            trap.market.address,
            trap.market.adjust.encode(wallet.address, 10**21, 50 * ETHER, wallet.address),
        ),
        (ours.address, ours.deposit.encode(50 * ETHER, wallet.address)),
        (ours.address, ours.liquidate.encode(scene.roles.looper, UNLIMITED, 0)),
        (trap.market.address, trap.market.repay.encode(UNLIMITED, wallet.address)),
        (
            trap.market.address,
            trap.market.withdraw.encode(100 * ETHER - 1, wallet.address, wallet.address),
        ),
    ]
    wallet.set_steps(inner)
    data = ours.flashLoan.encode(wallet.address, core.weth.address, 200 * ETHER, b"now")
    wallet.run(ours.address, data, sender=attacker)
    went = [done.success for done in wallet.all_outcomes()]
    assert went == [True, True, False, False, True, True]
    assert purse(scene, wallet.address) <= mine
    assert purse(scene, scene.roles.lender) == lender
    assert ours.state() == state
