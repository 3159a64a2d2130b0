"""`dayzero-train`: invent a force, fit a model, measure it. Needs the training extra; without it one line and exit code 2."""

import importlib.util
import sys

import click

import app

NEEDED = ("torch", "xgboost", "sklearn", "sksurv", "onnx", "pyarrow", "matplotlib")
MISSING = "dayzero-train needs the training extra: pip install -e '.[training]' -c constraints.txt"


def main() -> None:
    """Entry point of the command."""
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        print(MISSING, file=sys.stderr)
        sys.exit(2)
    _group()()


def _group() -> click.Group:
    """The commands; imported late, since each brings its libraries along."""
    from app.cli import OneLineErrors  # noqa: PLC0415
    from training.evaluation.command import command as evaluate  # noqa: PLC0415
    from training.harm.command import command as fit  # noqa: PLC0415
    from training.synthetic.command import synth  # noqa: PLC0415
    from training.synthetic.fidelity_page import fidelity_page  # noqa: PLC0415
    from training.text.page import text_page  # noqa: PLC0415
    from training.zoo.command import command as zoo  # noqa: PLC0415

    group = OneLineErrors(
        "dayzero-train",
        help=(
            "Learn from an extract: `synth` invents one, `fit` turns one into a checked artefact that `dayzero serve` uses, "
            "`evaluate` measures the artefact, `zoo` compares 168 models."
        ),
        commands={
            "synth": synth,
            "fit": fit,
            "evaluate": evaluate,
            "zoo": zoo,
            "fidelity-page": fidelity_page,
            "text-page": text_page,
        },
    )
    return click.version_option(app.__version__, prog_name="dayzero-train")(group)


if __name__ == "__main__":
    main()
