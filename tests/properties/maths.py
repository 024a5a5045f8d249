"""Thousands of examples for arithmetic: drawn from a seed, answered by the contract in batches."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from relever.chain import Chain, Contract

WAD = 10**18
PRICE_SCALE = 10**36
MAX_112 = 2**112 - 1
MAX_128 = 2**128 - 1
# As many calls go into one request.
BATCH = 1_000


class Draw(random.Random):
    """Numbers of every magnitude, and often those at the bounds."""

    def amount(self, most: int, least: int = 0) -> int:
        """An integer from `least` to `most`: its magnitude first, so that small ones come too."""
        kind = self.random()
        if kind < 0.05:
            return self.choice((least, min(least + 1, most), max(most - 1, least), most))
        drawn = self.getrandbits(self.randint(1, most.bit_length()))
        return min(max(drawn, least), most)

    def near(self, number: int, least: int, most: int) -> int:
        """Close to a number: equal, one off, or off by a small part of it."""
        by = self.choice((0, 1, -1, self.randint(-(number >> 20) - 9, (number >> 20) + 9)))
        return min(max(number + by, least), most)


class Maths:
    """The probe, asked about many examples at once."""

    def __init__(self, chain: Chain, probe: Contract) -> None:
        self._chain = chain
        self._probe = probe

    def ask(self, function: str, examples: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """The function's answers in the examples' order."""
        build: Callable[..., Any] = getattr(self._probe, function).build
        for start in range(0, len(examples), BATCH):
            yield from self._chain.read_batch(
                [build(*example) for example in examples[start : start + BATCH]]
            )

    def compare(
        self,
        function: str,
        examples: Sequence[tuple[Any, ...]],
        holds: Callable[..., bool],
    ) -> None:
        """`holds(answer, *example)` for every example; the first that fails is shown."""
        for example, answer in zip(examples, self.ask(function, examples), strict=True):
            assert holds(answer, *example), f"{function}{example} is {answer}"

    def read(self, function: str, *args: Any) -> Any:
        return getattr(self._probe, function)(*args)


def ceil(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)
