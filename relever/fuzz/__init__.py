"""The fuzzer: sequences of actions against a deployment, held against model and invariants."""
