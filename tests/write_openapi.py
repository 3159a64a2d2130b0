"""Rewrite openapi.yaml from the application: `make openapi`."""

from pathlib import Path

import yaml

from app.main import bare_app

if __name__ == "__main__":
    text = yaml.safe_dump(bare_app().openapi(), sort_keys=False, allow_unicode=True, width=120)
    (Path(__file__).parents[1] / "openapi.yaml").write_text(text, encoding="utf-8")
