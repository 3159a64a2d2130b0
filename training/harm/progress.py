"""Stages of a long fit: what runs, how far it is, how long it will take."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Stages:
    """Silent stages; the base of those that show themselves."""

    @contextmanager
    def stage(self, name: str, steps: int) -> Iterator[Callable[[], None]]:  # noqa: ARG002
        """Run one stage of `steps` steps; call what is yielded after each."""
        yield lambda: None

    def say(self, text: str) -> None:
        """Tell whoever watches one line."""


class ShownStages(Stages):
    """Stages as progress bars with the time left, one line each; `keep` whether finished ones stay on the screen."""

    def __init__(self, progress: Progress, keep: bool = True) -> None:
        self._progress = progress
        self._keep = keep

    @contextmanager
    def stage(self, name: str, steps: int) -> Iterator[Callable[[], None]]:
        """Run one stage behind a bar; the bar is full when the stage ends."""
        task = self._progress.add_task(name, total=steps)
        yield lambda: self._progress.advance(task)
        self._progress.update(task, completed=steps)
        if not self._keep:
            self._progress.remove_task(task)

    def say(self, text: str) -> None:
        """Print one line above the bars, also where there are none."""
        self._progress.console.print(text, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def shown(keep: bool = True) -> Iterator[Stages]:
    """Progress bars on standard error while inside, and what stages say; only the latter where it is no terminal.

    `keep` whether the bars of finished stages stay, which suits a handful of stages but not dozens.
    """
    columns = (TextColumn("{task.description:26}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    bars = Progress(
        *columns, TextColumn("left"), TimeRemainingColumn(), console=console, disable=not console.is_terminal
    )
    with bars as progress:
        yield ShownStages(progress, keep)
