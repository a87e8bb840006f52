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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import jinja2
from jinja2 import nodes
from jinja2.runtime import Context, new_context

from digest.errors import TemplateError
from digest.rendering.mjml import compile_mjml
from digest.rendering.places import Compiled, Source, read

HTML, TEXT = "digest.mjml", "digest.txt"
_Render = Callable[[Context], Iterator[str]]


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
    """One template, and the blocks that are rendered on their own. Every fault is a `TemplateError` with its place."""

    def __init__(self, source: Source, compiled: Compiled, blocks: Mapping[str, str], *, escape: bool) -> None:
        """`blocks` are the blocks that the template must have, and what stands in place of each in the whole."""
        self.source, self._compiled = source, compiled
        self._file = str(source.file)
        self._environment = jinja2.Environment(
            autoescape=escape,  # noqa: S701  # off for the text part, which is no HTML
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.filters["wrap"] = wrap
        with self._placed():
            tree = self._environment.parse(compiled.text, self._file, self._file)
        self.bodies: dict[str, list[nodes.Node]] = {}
        """The blocks' syntax."""
        found = {block.name: block for block in tree.find_all(nodes.Block)}
        for name, text in blocks.items():
            if name not in found:
                raise source.fault(f"the template has no block `{name}`; docs/templates.md says what it must have")
            self.bodies[name], found[name].body = found[name].body, [nodes.Output([nodes.TemplateData(text)])]
        self._whole = self._template(tree)
        self._globals = self._environment.make_globals(None)
        self._renders: dict[str, _Render] = {}
        self._inner: dict[str, _Render] = {}

    def whole(self, values: Mapping[str, object]) -> str:
        """The template rendered in one go."""
        with self._placed():
            return self._whole.render(values)

    def add(self, bodies: Mapping[str, Sequence[nodes.Node]]) -> None:
        """Compile blocks, so that they can be rendered on their own."""
        blocks: list[nodes.Node] = [
            nodes.Block(name, list(body), False, False, lineno=body[0].lineno) for name, body in bodies.items()
        ]
        compiled = self._template(nodes.Template(blocks, lineno=1)).blocks
        self._renders |= {name: compiled.pop(name) for name in bodies}
        self._inner |= compiled

    def block(self, name: str, values: Mapping[str, object]) -> str:
        """One block on its own."""
        known = {**self._globals, **values}
        context = new_context(self._environment, self._file, self._inner, known, shared=True)
        try:
            return "".join(self._renders[name](context))
        except Exception:  # noqa: BLE001  # Jinja puts template lines into the traceback, and raises it again
            with self._placed():
                self._environment.handle_exception()

    def _template(self, tree: nodes.Template) -> jinja2.Template:
        tree.set_environment(self._environment)
        with self._placed():
            code = self._environment.compile(tree, self._file, self._file)
            return jinja2.Template.from_code(self._environment, code, self._environment.make_globals(None))

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
