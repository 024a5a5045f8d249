"""The leveraged tokens on the suite, and the backstop among doubles."""

from tests.unit.backstop.conftest import backed, backstop_chain, built_backstop, empty
from tests.unit.leveraged.conftest import built_tokens, tokens

__all__ = ["backed", "backstop_chain", "built_backstop", "built_tokens", "empty", "tokens"]
