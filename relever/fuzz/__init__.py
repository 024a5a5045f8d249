"""The fuzzer: any order of actions on the real deployment, and whether everything still holds.

- `actions`: what to do next, chosen from the model's state so that most of it succeeds.
- `stage`, `player`: the deployment on a forked Anvil, or on an EVM in this process forked from it;
  a step is a transaction there, the model's word on it, and all checks.
- `storage`, `sight`: the contracts' whole storage, and what one call of the Lens says.
- `invariants`: the sentences that must hold, each with an ID; they know nothing of the model.
- `scale`, `cluster`: a campaign's examples played by many processes, on many machines.
"""
