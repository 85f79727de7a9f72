"""The HTTP routes, one file per subject. Every response body is a value of the vocabulary."""
