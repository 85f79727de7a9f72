"""What the terminal shows, in the reading order of the page: symptom, why, what to do, then everything else.

Text of telemetry reaches a console only through `printable`; numbers and times only through `quantity` and `times`.
"""
