"""The leveraged tokens on the suite, with depositors in the backstop."""

from tests.unit.leveraged.conftest import built_tokens, tokens

__all__ = ["built_tokens", "tokens"]
