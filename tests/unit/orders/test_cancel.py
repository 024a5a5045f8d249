from relever.chain import Event
from relever.orders import Kind
from tests.scene import ETHER, reverts
from tests.unit.orders.conftest import Desk


def test_cancel__nonce__ends_all_orders_of_it(desk: Desk) -> None:
    receipt = desk.contract.cancel(7, sender=desk.owner)
    cancelled = {"owner": desk.owner, "nonce": 7}
    assert receipt.events == [Event("NonceCancelled", cancelled, desk.contract.address)]
    assert desk.contract.is_used(desk.owner, 7) is True
    for kind in Kind:
        order = desk.order(kind, amount=ETHER)
        assert desk.status(order) == "orders: nonce used"
        with reverts("orders: nonce used"):
            desk.execute(order)
    desk.execute(desk.order(nonce=8))


def test_cancel__again_or_after_execution__changes_nothing(desk: Desk) -> None:
    desk.execute(desk.order(amount=ETHER))
    for _ in range(2):
        desk.contract.cancel(7, sender=desk.owner)
        assert desk.contract.is_used(desk.owner, 7) is True


def test_cancel__by_another__is_his_own_nonce(desk: Desk) -> None:
    desk.contract.cancel(7, sender=desk.scene.roles.stranger)
    assert desk.contract.is_used(desk.owner, 7) is False
    desk.execute(desk.order())


def test_cancel_all__orders_of_the_epoch__are_void(desk: Desk) -> None:
    answered = desk.contract.cancel_all.call(sender=desk.owner)
    receipt = desk.contract.cancel_all(sender=desk.owner)
    assert answered == desk.contract.epoch(desk.owner) == 1
    cancelled = {"owner": desk.owner, "epoch": 1}
    assert receipt.events == [Event("AllCancelled", cancelled, desk.contract.address)]
    for nonce in (0, 7, 2**255):
        order = desk.order(nonce=nonce)
        assert desk.status(order) == "orders: all cancelled"
        with reverts("orders: all cancelled"):
            desk.execute(order)
    # Those signed for later epochs wait for theirs.
    later = desk.order(epoch=2)
    with reverts("orders: all cancelled"):
        desk.execute(later)
    desk.execute(desk.order(epoch=1, amount=ETHER))
    # A nonce is used in every epoch.
    desk.contract.cancel_all(sender=desk.owner)
    with reverts("orders: nonce used"):
        desk.execute(later)


def test_cancel_all__by_another__is_his_own_epoch(desk: Desk) -> None:
    desk.contract.cancel_all(sender=desk.scene.roles.stranger)
    assert desk.contract.epoch(desk.owner) == 0
    desk.execute(desk.order())
