"""Real backends, one file or folder per vendor, each behind a protocol of `tools.backend`."""
