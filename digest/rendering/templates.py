"""The templates: where they are, and the two ways in which they are rendered.

Rules
-----
1. An own folder goes first; a template that is missing there is taken from the package.
2. HTML escapes every value (Jinja's `select_autoescape` would not for `.mjml`); text escapes none.
3. An undefined name is an error, and every error names file, line and column.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import jinja2

from digest.errors import TemplateError
from digest.rendering.mjml import compile_mjml
from digest.rendering.places import Compiled, Source, read

HTML, TEXT = "digest.mjml", "digest.txt"


def packaged() -> Path:
    """The folder of the templates that come with Digest: inside the wheel, or at the top of a checkout."""
    installed = Path(__file__).parents[1] / "_templates"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "templates"


def find(name: str, folder: Path | None) -> Path:
    """The operator's template of that name, else the packaged one."""
    if folder is not None and not folder.is_dir():
        raise TemplateError(f"{folder}: there is no such folder of templates")
    own = folder / name if folder else None
    return own if own and own.is_file() else packaged() / name


class Template:
    """One template with its blocks. Every fault in it is a `TemplateError` with its place."""

    def __init__(self, source: Source, compiled: Compiled, blocks: Mapping[str, str], *, escape: bool) -> None:
        """`blocks` are the blocks that the template must have, and what stands for each of them in a frame."""
        self.source, self._compiled = source, compiled
        file = str(source.file)
        self._environment = jinja2.Environment(
            loader=jinja2.FunctionLoader(lambda _: (compiled.text, file, None)),
            autoescape=escape,  # noqa: S701  # off for the text part, which is no HTML
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters["wrap"] = wrap
        with self._placed():
            self._template = self._environment.get_template(file)
        self._globals = dict(self._template.globals)
        for name in blocks:
            if name not in self._template.blocks:
                raise source.fault(f"the template has no block `{name}`; docs/templates.md says what it must have")
        overrides = "".join(f"{{% block {name} %}}{text}{{% endblock %}}" for name, text in blocks.items())
        self._frame = self._environment.from_string("{% extends template %}" + overrides)

    def whole(self, values: Mapping[str, object]) -> str:
        """The template rendered in one go."""
        with self._placed():
            return self._template.render(values)

    def frame(self, values: Mapping[str, object]) -> str:
        """The template with a fixed text in place of each block."""
        with self._placed():
            return self._frame.render({**values, "template": self._template})

    def block(self, name: str, values: Mapping[str, object]) -> str:
        """One block of the template on its own."""
        with self._placed():
            try:
                return "".join(
                    self._template.blocks[name](self._template.new_context({**self._globals, **values}, shared=True))
                )
            except Exception:  # noqa: BLE001  # Jinja puts template lines into the traceback, and raises it again
                self._environment.handle_exception()

    @contextmanager
    def _placed(self) -> Iterator[None]:
        try:
            yield
        except TemplateError:
            raise
        except jinja2.TemplateSyntaxError as error:
            reason = error.message or "cannot be read"
            unclosed = self.source.unclosed() if "end of template" in reason else None
            raise self.source.fault_at(reason, unclosed or self._compiled.lines.get(error.lineno)) from error
        except Exception as error:
            tag = self._compiled.lines.get(self._line(error))
            raise self.source.fault_at(f"{type(error).__name__}: {error}", tag) from error

    def _line(self, error: Exception) -> int:
        frames = traceback.extract_tb(error.__traceback__)
        return next((frame.lineno or 0 for frame in reversed(frames) if frame.filename == str(self.source.file)), 0)


def load_html(folder: Path | None, blocks: Mapping[str, str], name: str = HTML) -> Template:
    """The template of an HTML part: MJML, compiled once."""
    source = read(find(name, folder))
    return Template(source, compile_mjml(source), blocks, escape=True)


def load_text(folder: Path | None, blocks: Mapping[str, str], name: str = TEXT) -> Template:
    """The template of a text part."""
    source = read(find(name, folder))
    return Template(source, source.unshield(source.shielded), blocks, escape=False)


def wrap(text: str, width: int, indent: int = 0) -> str:
    """The filter `wrap`: lines of at most `width` characters, all but the first indented; a longer word stays whole."""
    return re.sub(rf"(\S{{{width},}}|.{{1,{width}}})(?: |$)", rf"\1\n{' ' * indent}", text).rstrip()
