import pytest

from tests.scene import reverts
from tests.unit.backstop.conftest import MAX_SALE_LOSS, ROLES, WAD, Backstop


@pytest.mark.parametrize("discount", [MAX_SALE_LOSS, 5 * 10**16])
def test_set_discount__by_the_factorys_owner__holds_from_then_on(
    backed: Backstop, discount: int
) -> None:
    receipt = backed.pool.set_discount(discount, sender=backed.actors.owner)
    assert receipt.events == [backed.event("DiscountSet", discount=discount)]
    assert backed.pool.discount() == discount
    assert backed.pool.quote(WAD) == backed.worth(WAD) * (WAD - discount) // WAD


@pytest.mark.parametrize("role", [role for role in ROLES if role != "owner"])
def test_set_discount__by_anyone_else__reverts(backed: Backstop, role: str) -> None:
    with reverts("backstop: not the owner"):
        backed.pool.set_discount(2 * 10**16, sender=getattr(backed.actors, role))


@pytest.mark.parametrize("discount", [0, MAX_SALE_LOSS - 1, 5 * 10**16 + 1, WAD, 2**256 - 1])
def test_set_discount__out_of_bounds__reverts(backed: Backstop, discount: int) -> None:
    with reverts("backstop: discount"):
        backed.pool.set_discount(discount, sender=backed.actors.owner)
