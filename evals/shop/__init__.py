"""A small real shop with real faults: how well, and how fast, is what broke it named from the live servers?

The shop's own code is in `fixtures/shop`. `python -m evals.shop --help` runs it.
"""
