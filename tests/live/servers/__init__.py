"""Real servers on loopback, started as child processes, for the live tests and for recording cassettes."""
