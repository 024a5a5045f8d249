"""Deployments that are disturbed in every way, see `make e2e-deploy`."""
