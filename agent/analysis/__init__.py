"""How an incident is reasoned about, in pure functions.

`metrics`, `logs` and `traces` reduce frames to `observed`; `diff` reads changes into `edits`; the files beside them hold
the observations against the catalogue and rank causes (`ranking.rank`).
"""
