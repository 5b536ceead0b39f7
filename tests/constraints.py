"""`make constraints`: the versions in this environment, as constraints for pip; no address, no path."""

from __future__ import annotations

import platform
import subprocess
import sys


def main() -> None:
    """Print them, sorted as pip sorts."""
    asked = ["list", "--format=freeze", "--exclude-editable", "--exclude", "pip", "--exclude", "setuptools"]
    asked = [sys.executable, "-m", "pip", "--disable-pip-version-check", *asked]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    print(f"# Tested on Python {platform.python_version()}. `make constraints` writes this file;")
    print("# CONTRIBUTING.md says how to install with it.")
    print(said.strip())


if __name__ == "__main__":
    main()
