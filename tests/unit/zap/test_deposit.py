from itertools import product

import pytest

from relever.artifacts import artifact
from relever.chain import Call, Event
from relever.protocol import UNLIMITED, Deployment
from tests.lrt_paths import NOBODY, Lido, Log, vault_shares_down
from tests.scene import ETHER, holdings, reverts
from tests.unit.zap.conftest import TOKENS, give, token_of, zap

AMOUNT = 10 * ETHER + 7


def lst_for(name: str, amount: int, lido: Lido) -> int:
    """wstETH that an input becomes."""
    return amount if name == "wsteth" else lido.shares_down(amount)


def taken(scene: Deployment, name: str, amount: int, lido: Lido, log: Log) -> list[Event]:
    """What taking and staking the input logs; `lido` moves on."""
    depositor, zap = scene.roles.depositor, scene.protocol.zap.address
    token = token_of(scene, name)
    if token is None:
        return log.staked(lido, zap, amount)
    if name == "weth":
        pulled = [log.moved(token, depositor, zap, amount), log.unwrapped(zap, amount)]
        return pulled + log.staked(lido, zap, amount)
    if name == "wsteth":
        return [log.approved(token, depositor, zap, 0), log.moved(token, depositor, zap, amount)]
    shares = lido.shares_down(amount)
    worth, wsteth = lido.ether_down(shares), log.wsteth.address
    return [
        log.approved(token, depositor, zap, amount - worth),
        log.moved(token, depositor, zap, worth),
        log.shares_moved(depositor, zap, shares),
        log.approved(token, zap, wsteth, worth + 1),
        log.moved(log.wsteth, NOBODY, zap, shares),
        log.approved(token, zap, wsteth, 0),
        log.moved(token, zap, wsteth, worth + 1),
        log.shares_moved(zap, wsteth, shares),
    ]


@pytest.mark.parametrize("name", TOKENS)
def test_deposit__each_token__mints_at_the_vaults_rate(scene: Deployment, name: str) -> None:
    protocol, roles, log = scene.protocol, scene.roles, Log(scene)
    token, depositor, receiver = give(scene, name, AMOUNT), roles.depositor, roles.stranger
    lido = Lido.now(scene)
    lst = lst_for(name, AMOUNT, lido)
    shares = vault_shares_down(scene, lst)
    before = holdings(scene, depositor), holdings(scene, receiver)
    expected = protocol.zap.preview(token, AMOUNT)
    events = taken(scene, name, AMOUNT, lido, log)
    zap_address, vault = protocol.zap.address, protocol.vault.address
    events += [
        log.approved(log.wsteth, zap_address, vault, lst),
        log.approved(log.wsteth, zap_address, vault, 0),
        log.moved(log.wsteth, zap_address, vault, lst),
        log.moved(log.vault, NOBODY, receiver, shares),
        Event(
            "Deposit",
            {"sender": zap_address, "owner": receiver, "assets": lst, "shares": shares},
            vault,
        ),
        Event(
            "Zapped",
            {
                "sender": depositor,
                "receiver": receiver,
                "token": token,
                "amount": AMOUNT,
                "shares": shares,
            },
            zap_address,
        ),
    ]

    value = AMOUNT if name == "ether" else 0
    arguments = (token, AMOUNT, shares, receiver)
    answered = protocol.zap.deposit.call(*arguments, sender=depositor, value=value)
    receipt = protocol.zap.deposit(*arguments, sender=depositor, value=value)

    assert answered == expected == shares
    assert receipt.events == events
    after = holdings(scene, depositor), holdings(scene, receiver)
    assert after[1] == {**before[1], "lrt": before[1]["lrt"] + shares}
    key = "steth shares" if name == "steth" else name
    spent = lst if name == "steth" else AMOUNT
    assert after[0] == {**before[0], key: before[0][key] - spent}


@pytest.mark.parametrize("name", TOKENS)
@pytest.mark.parametrize("amount", [4, 5, 10**9 + 1, 10**17 + 3, 987_654_321_987_654_321])
def test_deposit__small_and_odd_amounts__leave_nothing_behind(
    scene: Deployment, name: str, amount: int
) -> None:
    depositor, vault = scene.roles.depositor, scene.protocol.vault
    token = give(scene, name, amount)
    lido, before = Lido.now(scene), holdings(scene, depositor)["lrt"]
    shares = vault_shares_down(scene, lst_for(name, amount, lido))
    assert scene.protocol.zap.preview(token, amount) == shares > 0
    zap(scene, name, amount, shares)
    assert vault.balanceOf(depositor) == before + shares


@pytest.mark.parametrize(
    ("name", "amount"), [("wsteth", 1), *product(("ether", "weth", "steth"), (1, 2))]
)
def test_deposit__dust_worth_no_share__reverts_and_keeps_nothing(
    scene: Deployment, name: str, amount: int
) -> None:
    token = give(scene, name, amount)
    lst = lst_for(name, amount, Lido.now(scene))
    assert scene.protocol.zap.preview(token, amount) == 0
    before = holdings(scene, scene.roles.depositor)
    with reverts("zap: zero shares" if lst == 0 else "vault: zero shares"):
        zap_given(scene, token, amount)
    assert holdings(scene, scene.roles.depositor) == before


def zap_given(scene: Deployment, token: str, amount: int, receiver: str | None = None) -> None:
    """Zap what was given and approved before."""
    depositor = scene.roles.depositor
    value = amount if token == NOBODY else 0
    scene.protocol.zap.deposit(
        token, amount, 0, receiver or depositor, sender=depositor, value=value
    )


@pytest.mark.parametrize("name", TOKENS)
def test_deposit__fewer_shares_than_asked__reverts(scene: Deployment, name: str) -> None:
    shares = vault_shares_down(scene, lst_for(name, AMOUNT, Lido.now(scene)))
    if name != "wsteth":
        # Funding stakes too; what counts is Lido's rate at the call.
        give(scene, name, AMOUNT)
        shares = vault_shares_down(scene, lst_for(name, AMOUNT, Lido.now(scene)))
    lrt = scene.protocol.vault.totalSupply()
    with reverts("zap: too few shares"):
        zap(scene, name, AMOUNT, shares + 1)
    assert scene.protocol.vault.totalSupply() == lrt


@pytest.mark.parametrize("name", TOKENS)
def test_deposit__zero_amount__reverts(scene: Deployment, name: str) -> None:
    with reverts("zap: zero amount"):
        zap_given(scene, give(scene, name, 0), 0)


@pytest.mark.parametrize("name", TOKENS)
def test_deposit__receiver_that_could_not_use_it__reverts(scene: Deployment, name: str) -> None:
    token = give(scene, name, AMOUNT)
    with reverts("zap: zero receiver"):
        zap_given(scene, token, AMOUNT, NOBODY)
    with reverts("zap: receiver is the zap"):
        zap_given(scene, token, AMOUNT, scene.protocol.zap.address)


@pytest.mark.parametrize("sent", [0, AMOUNT - 1, AMOUNT + 1])
def test_deposit__ether_is_not_the_amount__reverts(scene: Deployment, sent: int) -> None:
    depositor = scene.roles.depositor
    before = holdings(scene, depositor)
    with reverts("zap: ether sent is not amount"):
        scene.protocol.zap.deposit(NOBODY, AMOUNT, 0, depositor, sender=depositor, value=sent)
    assert holdings(scene, depositor) == before


@pytest.mark.parametrize("name", TOKENS[1:])
def test_deposit__ether_beside_a_token__reverts(scene: Deployment, name: str) -> None:
    depositor, token = scene.roles.depositor, give(scene, name, AMOUNT)
    with reverts("zap: ether with a token"):
        scene.protocol.zap.deposit(token, AMOUNT, 0, depositor, sender=depositor, value=1)


def test_deposit__unknown_token__is_not_even_called(scene: Deployment) -> None:
    """A token of the caller's choice would be a target of the caller's choice."""
    protocol, stranger = scene.protocol, scene.roles.stranger
    probe = scene.chain.deploy(artifact("CallbackWallet"))
    for token in (probe.address, protocol.vault.address, protocol.zap.address, stranger):
        with reverts("zap: token not accepted"):
            protocol.zap.deposit(token, AMOUNT, 0, stranger, sender=stranger)
        with reverts("zap: token not accepted"):
            protocol.zap.deposit(token, 0, 0, NOBODY, sender=stranger, value=AMOUNT)
    # It reverts on an unknown call: with the zap's own reason it was never reached.


@pytest.mark.parametrize("name", TOKENS[1:])
def test_deposit__not_approved_or_not_owned__reverts(scene: Deployment, name: str) -> None:
    depositor, stranger = scene.roles.depositor, scene.roles.stranger
    token = give(scene, name, AMOUNT)
    before = holdings(scene, depositor)
    # The stranger cannot spend what the depositor allowed the zap.
    with pytest.raises(Exception, match="reverted"):
        scene.protocol.zap.deposit(token, AMOUNT, 0, stranger, sender=stranger)
    assert holdings(scene, depositor) == before


def test_deposit__deposit_cap_met__leaves_no_trace(scene: Deployment) -> None:
    protocol, depositor = scene.protocol, scene.roles.depositor
    protocol.vault.set_deposit_cap(0, sender=scene.roles.guardian)
    for name in TOKENS:
        token = give(scene, name, AMOUNT)
        before = holdings(scene, depositor)
        with reverts("vault: deposit cap"):
            zap_given(scene, token, AMOUNT)
        assert holdings(scene, depositor) == before


def test_deposit__unlimited_allowance__takes_the_amount_only(scene: Deployment) -> None:
    protocol, depositor, core = scene.protocol, scene.roles.depositor, scene.world.core
    for name in TOKENS[1:]:
        token = token_of(scene, name)
        assert token is not None
        scene.world.fund(depositor, **{name: 3 * AMOUNT})
        token.approve(protocol.zap.address, UNLIMITED, sender=depositor)
        before = holdings(scene, depositor)
        steth_shares = core.steth.getSharesByPooledEth(AMOUNT)
        zap_given(scene, token.address, AMOUNT)
        after = holdings(scene, depositor)
        key, spent = ("steth shares", steth_shares) if name == "steth" else (name, AMOUNT)
        assert before[key] - after[key] == spent


def test_deposit__slash_that_nobody_booked__is_booked_first(scene: Deployment) -> None:
    """The depositor pays what the stake is worth, not what the books said, as the preview knew."""
    protocol, depositor = scene.protocol, scene.roles.depositor
    token = give(scene, "wsteth", AMOUNT)
    before = vault_shares_down(scene, AMOUNT)
    scene.world.slash(10**17)
    expected, held = protocol.zap.preview(token, AMOUNT), protocol.vault.balanceOf(depositor)
    zap_given(scene, token, AMOUNT)
    assert protocol.vault.balanceOf(depositor) - held == expected > before


def test_deposit__lido_rewards__preview_is_still_exact(scene: Deployment) -> None:
    protocol, depositor = scene.protocol, scene.roles.depositor
    for reward in (1, 7_777_777_777_777, 3 * ETHER + 1):
        for name in TOKENS:
            token = give(scene, name, AMOUNT)
            scene.world.accrue_rewards(reward)
            held, expected = (
                protocol.vault.balanceOf(depositor),
                protocol.zap.preview(token, AMOUNT),
            )
            zap_given(scene, token, AMOUNT)
            assert protocol.vault.balanceOf(depositor) - held == expected


@pytest.mark.parametrize("name", TOKENS)
def test_deposit__after_donations__gives_the_same_and_pays_them_to_nobody(
    prepared: Deployment, name: str
) -> None:
    scene, core, protocol = prepared, prepared.world.core, prepared.protocol
    giver, depositor, target = scene.roles.trader, scene.roles.depositor, protocol.zap.address
    gained = []
    for donated in (False, True):
        with scene.chain.isolated():
            scene.world.fund(giver, weth=7 * ETHER, wsteth=20 * ETHER, steth=7 * ETHER + 2)
            core.wsteth.approve(protocol.vault.address, 12 * ETHER, sender=giver)
            protocol.vault.mint(7 * ETHER, giver, sender=giver)
            receiver = target if donated else scene.roles.keeper
            for token in (core.weth, core.wsteth, core.steth, protocol.vault):
                token.transfer(receiver, 7 * ETHER, sender=giver)
            if donated:
                scene.chain.set_balance(target, 7 * ETHER)
            lying = holdings(scene, target)
            zap(scene, name, AMOUNT)
            gained.append(holdings(scene, depositor))
            assert holdings(scene, target) == lying
    assert gained[0] == gained[1]


def test_deposit__re_entered_by_token_and_vault__is_locked(scene: Deployment) -> None:
    chain, stranger = scene.chain, scene.roles.stranger
    lrt = chain.deploy(artifact("ReenteringLrt"))
    zap = chain.deploy(
        artifact("DepositZap"), lrt.address, lrt.address, scene.world.core.weth.address
    )
    for again in (
        zap.deposit.encode(lrt.address, AMOUNT, 0, stranger),
        zap.preview.encode(lrt.address, AMOUNT),
        b"",
    ):
        calls = lrt.calls()
        lrt.set_hook(zap.address, again)
        zap.deposit(lrt.address, AMOUNT, 0, stranger, sender=stranger)
        assert (lrt.calls(), lrt.successes()) == (calls + 2, 0)
    # At rest the same calls are answered.
    assert zap.preview(lrt.address, AMOUNT) == AMOUNT


@pytest.mark.parametrize("role", ["stranger", "depositor", "owner"])
@pytest.mark.parametrize("data", [b"", b"\x12\x34\x56\x78"])
def test_default__ether_from_anyone__reverts(scene: Deployment, role: str, data: bytes) -> None:
    with reverts("zap: ether only from weth"):
        scene.chain.send(Call(getattr(scene.roles, role), scene.protocol.zap.address, data, ETHER))


def test_create__lst_that_is_not_the_vaults_asset__reverts(scene: Deployment) -> None:
    core = scene.world.core
    with reverts("path: lst is not the lrt's asset"):
        scene.chain.deploy(
            artifact("DepositZap"),
            scene.protocol.vault.address,
            core.weth.address,
            core.weth.address,
        )


def test_create__suite__tokens_are_the_vaults(scene: Deployment) -> None:
    zap, core = scene.protocol.zap, scene.world.core
    assert zap.LRT() == scene.protocol.vault.address
    assert (zap.LST(), zap.STETH(), zap.WETH()) == (
        core.wsteth.address,
        core.steth.address,
        core.weth.address,
    )


def test_preview__unknown_token__reverts(scene: Deployment) -> None:
    for token in (scene.protocol.vault.address, scene.roles.stranger):
        with reverts("zap: token not accepted"):
            scene.protocol.zap.preview(token, AMOUNT)


@pytest.mark.parametrize("name", TOKENS)
def test_preview__nothing__is_nothing(scene: Deployment, name: str) -> None:
    assert scene.protocol.zap.preview(give(scene, name, 0), 0) == 0
