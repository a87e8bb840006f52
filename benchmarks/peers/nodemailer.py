"""nodemailer, fetched once: exactly the version of package-lock.json, and none of its scripts is run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from lean import cache

NODE, NPM = shutil.which("node"), shutil.which("npm")
_HERE = Path(__file__).parent
_PACKAGES = ("package.json", "package-lock.json")


def ready() -> str:
    """Install what is missing; return "", or why nodemailer cannot run."""
    if not NODE or not NPM:
        return "node and npm are missing (Debian packages nodejs and npm)"
    if all((_folder() / name).exists() and _same(name) for name in _PACKAGES):
        return ""
    for name in _PACKAGES:
        shutil.copyfile(_HERE / name, _folder() / name)
    command = [NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    done = subprocess.run(command, cwd=_folder(), capture_output=True, text=True, check=False)
    if done.returncode:
        (_folder() / _PACKAGES[0]).unlink()
        return f"npm ci: {done.stderr.strip() or done.returncode}"
    return ""


def environment() -> dict[str, str]:
    """What node needs to find it."""
    return os.environ | {"NODE_PATH": str(_folder() / "node_modules")}


def _folder() -> Path:
    folder = cache() / "npm"
    folder.mkdir(exist_ok=True)
    return folder


def _same(name: str) -> bool:
    return (_folder() / name).read_bytes() == (_HERE / name).read_bytes()
