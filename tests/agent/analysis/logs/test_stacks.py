from __future__ import annotations

import time

import pytest

from agent.analysis.logs.stacks import exception_of, frames_of, headline

PYTHON = """Traceback (most recent call last):
  File "/app/shop/cart.py", line 3, in add
    price(item)
  File "/app/shop/price.py", line 9, in price
    raise ValueError("no price")
ValueError: no price"""

JAVA = """java.lang.IllegalStateException: cannot reserve
\tat com.shop.Cart.reserve(Cart.java:12)
\tat com.shop.Cart.add(Cart.java:99)
Caused by: com.shop.PoolTimeoutException: none left
\tat com.shop.Pool.take(Pool.java:41)"""

GO = (
    "panic: runtime error: invalid memory address\n\ngoroutine 1 [running]:\n"
    "main.(*Cart).Add(0x1234, 0x1)\n\t/src/cart.go:12 +0x1d\nmain.main()\n\t/src/main.go:40 +0x2\n"
)
NODE = "TypeError: x is not a function\n    at Cart.add (/app/src/cart.js:10:5)\n    at run (/app/src/run.js:3:1)"
RUBY = "NoMethodError: undefined method\napp/models/cart.rb:12:in `add'\napp/models/shop.rb:3:in `call'"
DOTNET = "System.InvalidOperationException: no\n   at Shop.Cart.Add(Item item) in /src/Cart.cs:line 12"


@pytest.mark.parametrize(
    ("text", "line", "exception", "frames"),
    [
        (PYTHON, "ValueError: no price", "ValueError", ("/app/shop/price.py:9 price", "/app/shop/cart.py:3 add")),
        (
            JAVA,
            "java.lang.IllegalStateException: cannot reserve",
            "com.shop.PoolTimeoutException",
            ("Cart.java:12 com.shop.Cart.reserve", "Cart.java:99 com.shop.Cart.add", "Pool.java:41 com.shop.Pool.take"),
        ),
        (
            GO,
            "panic: runtime error: invalid memory address",
            "panic: runtime error",
            ("/src/cart.go:12 main.(*Cart).Add", "/src/main.go:40 main.main"),
        ),
        (
            NODE,
            "TypeError: x is not a function",
            "TypeError",
            ("/app/src/cart.js:10 Cart.add", "/app/src/run.js:3 run"),
        ),
        (
            RUBY,
            "NoMethodError: undefined method",
            "NoMethodError",
            ("app/models/cart.rb:12 add", "app/models/shop.rb:3 call"),
        ),
        (
            DOTNET,
            "System.InvalidOperationException: no",
            "System.InvalidOperationException",
            ("/src/Cart.cs:12 Shop.Cart.Add",),
        ),
        ("services/cart.go:118 Cart.add", "services/cart.go:118 Cart.add", "", ("services/cart.go:118 Cart.add",)),
        ("all is well", "all is well", "", ()),
    ],
)
def test_stacks_of_many_languages(text: str, line: str, exception: str, frames: tuple[str, ...]) -> None:
    assert headline(text) == line
    assert exception_of(text) == exception
    assert frames_of(text) == frames


def test_a_traceback_without_an_end_keeps_its_first_line() -> None:
    text = 'Traceback (most recent call last):\n  File "a.py", line 1, in f'
    assert headline(text) == "Traceback (most recent call last):"


@pytest.mark.parametrize(
    "text",
    ["a" * 32_000, "A." * 16_000, "a.b/" * 8_000, "(" * 32_000, "at a(" * 6_000, 'File "' * 5_000, "\n" * 32_000],
)
def test_hostile_lines_cost_linear_time(text: str) -> None:
    began = time.process_time()
    frames_of(text)
    exception_of(text)
    headline(text)
    assert time.process_time() - began < 1.0
