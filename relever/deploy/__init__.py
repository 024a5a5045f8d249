"""Putting the suite onto a network: what is deployed, step by step, and what stands there after."""
