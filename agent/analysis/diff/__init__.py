"""Reading a diff, piece by piece; `agent.analysis.diffs.read_diff` puts the pieces together."""
