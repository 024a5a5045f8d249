"""The contracts of the suite as their callers see them: who may call, which tokens move with it.

A method is a function of the contract with its name and arguments, accounts and contracts by name;
the caller comes first. What it returns is what the contract returns.
"""
