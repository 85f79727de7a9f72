"""Make our recorded incidents anew: `python -m evals.simulator [NAME...] [--into fixtures/recordings]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evals.simulator.incidents import SCENARIOS
from evals.simulator.simulate import simulate
from evals.simulator.writing import write_recording


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Which incidents; all of them without a name.")] = None,
    into: Annotated[Path, typer.Option(help="The folder that holds the recordings.")] = Path("fixtures/recordings"),
) -> None:
    """Simulate incidents and write them as recordings. The same code writes the same bytes."""
    for name in names or sorted(SCENARIOS):
        if name not in SCENARIOS:
            raise typer.BadParameter(f"no incident is called {name!r}; there are {', '.join(sorted(SCENARIOS))}")
        simulated = simulate(SCENARIOS[name])
        write_recording(SCENARIOS[name], simulated, into / name)
        typer.echo(f"{name}: pages after {simulated.fired_at / 60:.1f} minutes, {len(simulated.telemetry.logs)} lines")


if __name__ == "__main__":
    typer.run(main)
