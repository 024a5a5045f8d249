"""Keepers under stress: two processes, a slash, a depeg that happened, and who checks them."""
