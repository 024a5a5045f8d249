"""What EigenLayer's stakers have earned, as the Merkle tree whose root its coordinator is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from eth_utils.conversions import to_bytes
from eth_utils.crypto import keccak

# So that no leaf of one kind passes for one of the other.
_EARNER_SALT, _TOKEN_SALT = b"\x00", b"\x01"
_NOTHING = bytes(32)


class EarnerLeaf(NamedTuple):
    """One earner, and the root of the tree of its tokens."""

    earner: str
    earner_token_root: bytes


class TokenLeaf(NamedTuple):
    """One token, and what of it the earner has earned in all, claimed or not, in its units."""

    token: str
    cumulative_earnings: int


class RewardsClaim(NamedTuple):
    """All that one earner can claim under a root, as the coordinator takes it."""

    root_index: int
    earner_index: int
    earner_proof: bytes
    earner_leaf: EarnerLeaf
    token_indices: list[int]
    token_proofs: list[bytes]
    token_leaves: list[TokenLeaf]


def rewards_tree(
    earnings: Mapping[str, Mapping[str, int]], root_index: int
) -> tuple[bytes, dict[str, RewardsClaim]]:
    """The tree's root, and each earner's claim.

    Args:
        earnings: by earner, then by token, what was ever earned, in the token's units.
        root_index: how many roots the coordinator has had.
    """
    tokens = {
        earner: [TokenLeaf(token, amount) for token, amount in earned.items()]
        for earner, earned in earnings.items()
    }
    token_trees = {
        earner: _merkle(
            [
                keccak(_TOKEN_SALT + to_bytes(hexstr=leaf.token) + _word(leaf.cumulative_earnings))
                for leaf in leaves
            ]
        )
        for earner, leaves in tokens.items()
    }
    root, earner_proofs = _merkle(
        [
            keccak(_EARNER_SALT + to_bytes(hexstr=earner) + token_root)
            for earner, (token_root, _) in token_trees.items()
        ]
    )
    claims = {
        earner: RewardsClaim(
            root_index,
            index,
            earner_proofs[index],
            EarnerLeaf(earner, token_root),
            list(range(len(tokens[earner]))),
            token_proofs,
            tokens[earner],
        )
        for index, (earner, (token_root, token_proofs)) in enumerate(token_trees.items())
    }
    return root, claims


def _merkle(leaves: Sequence[bytes]) -> tuple[bytes, list[bytes]]:
    """The root, and each leaf's proof: the siblings on its way up, one after the other."""
    proofs = [b""] * len(leaves)
    level = list(leaves)
    depth = 0
    while len(level) > 1 or depth == 0:
        level += [_NOTHING] * (len(level) % 2)
        for leaf in range(len(leaves)):
            proofs[leaf] += level[(leaf >> depth) ^ 1]
        level = [keccak(left + right) for left, right in zip(level[::2], level[1::2], strict=True)]
        depth += 1
    return level[0], proofs


def _word(amount: int) -> bytes:
    return amount.to_bytes(32, "big")
