"""Requests that leave their usual path inside a service: faults in code, seen in statements and calls."""
