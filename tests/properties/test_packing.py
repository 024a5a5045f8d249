"""Packed words: what goes in comes out, and no field touches another."""

from tests.properties.maths import MAX_112, MAX_128, Draw, Maths

EXAMPLES = 2_000
MAX_32 = 2**32 - 1


def test_totals__any_fields__are_laid_out_as_said(maths: Maths) -> None:
    draw = Draw("totals")
    examples = [
        (draw.amount(MAX_112), draw.amount(MAX_112), draw.amount(MAX_32)) for _ in range(EXAMPLES)
    ]
    words = list(maths.ask("pack_totals", examples))
    assert words == [a + s * 2**112 + t * 2**224 for a, s, t in examples]
    assert [tuple(f) for f in maths.ask("unpack_totals", [(w,) for w in words])] == examples


def test_totals__any_word__comes_apart_and_together(maths: Maths) -> None:
    draw = Draw("words")
    words = [draw.getrandbits(256) for _ in range(EXAMPLES)]
    fields = [tuple(f) for f in maths.ask("unpack_totals", [(w,) for w in words])]
    assert fields == [(w % 2**112, w // 2**112 % 2**112, w // 2**224) for w in words]
    assert list(maths.ask("pack_totals", fields)) == words


def test_position__any_fields__are_laid_out_as_said(maths: Maths) -> None:
    draw = Draw("positions")
    examples = [(draw.amount(MAX_128), draw.amount(MAX_128)) for _ in range(EXAMPLES)]
    words = list(maths.ask("pack_position", examples))
    assert words == [collateral + shares * 2**128 for collateral, shares in examples]
    assert [tuple(f) for f in maths.ask("unpack_position", [(w,) for w in words])] == examples
