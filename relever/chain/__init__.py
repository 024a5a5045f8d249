"""A local chain to build and test on: Anvil, a fast JSON-RPC client, contracts by ABI."""

from relever.chain.abi import Event
from relever.chain.anvil import Anvil, AnvilError
from relever.chain.chain import Chain
from relever.chain.contract import Call, Contract, Method, Receipt, Revert
from relever.chain.rpc import Rpc, RpcError

__all__ = [
    "Anvil",
    "AnvilError",
    "Call",
    "Chain",
    "Contract",
    "Event",
    "Method",
    "Receipt",
    "Revert",
    "Rpc",
    "RpcError",
]
