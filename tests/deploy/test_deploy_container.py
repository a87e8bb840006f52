"""The Dockerfile: linted, its pieces run without an engine, and built where there is one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from deploy_files import DEPLOY, complaint, defaults, read
from workplace import REPOSITORY

DOCKERFILE = read("Dockerfile").replace("\\\n", "")
PORT = defaults().port


def instruction(name: str) -> str:
    """The one instruction of a name, without it."""
    (found,) = re.findall(rf"^{name} (.*)$", DOCKERFILE, re.MULTILINE)
    return str(found)


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of a server that answers everything with one status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def engine() -> str:
    """The container engine that answers here ("": none)."""
    for program in filter(None, map(shutil.which, ("docker", "podman"))):
        if subprocess.run([program, "info"], capture_output=True, timeout=60, check=False).returncode == 0:
            return program
    return ""


def test_the_linter_has_nothing_against_the_dockerfile() -> None:
    """hadolint, which also reads the shell commands, finds nothing."""
    linter = str(Path(sys.executable).with_name("hadolint"))
    done = subprocess.run([linter, str(DEPLOY / "Dockerfile")], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (404, False)])
def test_the_health_check_asks_the_daemon(status: int, healthy: bool) -> None:
    """The container is healthy where /health answers 200, also where the environment names a proxy."""
    program, *arguments = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
    assert program == "python"
    with answering(status) as port:
        script = [part.replace(f":{PORT}/", f":{port}/") for part in arguments]
        assert script != arguments
        proxied = {"http_proxy": "http://127.0.0.1:1"}
        done = subprocess.run([sys.executable, *script], env=proxied, capture_output=True, timeout=60, check=False)
    assert (done.returncode == 0) is healthy


def test_the_health_check_fails_where_nothing_listens() -> None:
    """A daemon that is not there is not healthy."""
    with answering(200) as port:
        pass
    arguments = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])[1:]
    script = [part.replace(f":{PORT}/", f":{port}/") for part in arguments]
    assert subprocess.run([sys.executable, *script], capture_output=True, timeout=60, check=False).returncode != 0


def test_the_container_starts_the_daemon() -> None:
    """It starts `digest serve`, listens where other containers reach it, on the default port, and not as root."""
    assert json.loads(instruction("ENTRYPOINT")) == ["digest"]
    assert complaint(json.loads(instruction("CMD"))) == ""
    assert "DIGEST_SERVE__HOST=0.0.0.0" in instruction("ENV").split()
    assert instruction("EXPOSE") == str(PORT)
    assert instruction("USER") == "10001:10001"


def test_what_the_image_copies_is_enough_to_build_digest(tmp_path: Path) -> None:
    """A wheel made of the copied files alone holds the program and the templates."""
    for names in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        *sources, target = names.split()
        for source in map(REPOSITORY.joinpath, sources):
            place = tmp_path / target if source.is_dir() else tmp_path / target / source.name
            (shutil.copytree if source.is_dir() else shutil.copyfile)(source, place)
    build = "from hatchling.build import build_wheel; print(build_wheel('.'))"
    done = subprocess.run(
        [sys.executable, "-c", build], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True
    )
    with zipfile.ZipFile(tmp_path / done.stdout.split()[-1]) as wheel:
        assert {"digest/cli/run.py", "digest/_templates/digest.mjml"} <= set(wheel.namelist())


@pytest.mark.slow
def test_the_image_builds_and_runs() -> None:
    """An engine builds the image, and its program starts as somebody who is not root."""
    if not (program := engine()):
        pytest.skip("no container engine answers here: install the Debian package docker.io and start it")
    tag = f"digest-test-{uuid.uuid4().hex[:12]}"
    subprocess.run([program, "build", "-q", "-f", str(DEPLOY / "Dockerfile"), "-t", tag, str(REPOSITORY)], check=True)
    try:
        asked = subprocess.run([program, "run", "--rm", tag, "--version"], capture_output=True, text=True, check=True)
        assert asked.stdout.startswith("digest ")
        who = [program, "run", "--rm", "--entrypoint", "id", tag, "-u"]
        assert subprocess.run(who, capture_output=True, text=True, check=True).stdout == "10001\n"
    finally:
        subprocess.run([program, "rmi", "--force", tag], capture_output=True, check=True)
