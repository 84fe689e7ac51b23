"""The language processes of a conversation, as its settings want them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from oi_daemon import keys
from oi_daemon.execution.interpreters import BackgroundBlock, Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.limits import Limits
from oi_daemon.execution.sandbox.sandbox import Sandbox, parse_folders
from oi_daemon.execution.spares import Spares
from oi_daemon.settings import Settings
from oi_daemon.tools.toolbox import Toolbox

OnBackground = Callable[[BackgroundBlock], None]
"""Called with each block that goes to the background. It has to take all of the block's chunks."""


class LanguageProcesses:
    """Keeps the language processes of one conversation, and replaces them at need."""

    def __init__(
        self,
        spares: Spares | None = None,
        on_background: OnBackground = lambda _: None,
        environ: keys.Environ | None = None,
    ) -> None:
        """
        Args:
            spares: started Python processes, shared with other conversations.
            on_background: called with each block that goes to the background.
            environ: the environment in which code runs; None for this process's.
        """
        self._spares = spares
        self._on_background = on_background
        self._environ = keys.process_environ() if environ is None else environ
        self.tools = Toolbox()
        """The MCP servers whose tools Python code may call."""
        self._interpreters: Interpreters | None = None
        """The processes; None until one is needed."""
        self._workplace: Workplace | None = None
        """The workplace in which `_interpreters` run."""
        self._limits = Limits()

    def workplace(self, settings: Settings) -> Workplace:
        """Return where and how code runs with these settings; its limits are theirs from now on."""
        self._limits.apply(settings)
        workplace = _workplace(settings, self._limits, self._environ)
        return replace(workplace, has_tools=settings.mcp is not None, tools=self.tools)

    async def under(self, settings: Settings) -> Interpreters:
        """Return the language processes for these settings.

        If the settings of where code runs have changed, the processes are replaced, and the next
        block's output says so. Changed limits apply to the processes that there are.
        """
        workplace = self.workplace(settings)
        await self.tools.configure(settings, workplace.cwd)
        if self._interpreters is None or workplace != self._workplace:
            news = ""
            if self._interpreters is not None:
                news = _RESTARTED if self._interpreters.used else ""
                await self._interpreters.close()
            self._workplace = workplace
            self._interpreters = Interpreters(workplace, news, self._spares)
            self._interpreters.on_background = self._on_background
        return self._interpreters

    @property
    def current(self) -> Interpreters | None:
        """The processes that there are; None if none was needed yet."""
        return self._interpreters

    async def answer(self, input: str, value: str | None) -> bool:
        """Give the code a line that it waits for. False if nothing waits under this id."""
        return self._interpreters is not None and await self._interpreters.answer(input, value)

    async def close(self) -> None:
        """End all processes and MCP servers. The next block starts new ones."""
        if self._interpreters is not None:
            await self._interpreters.close()
        await self.tools.close()


_RESTARTED = (
    "The interpreters were started again, because the settings of where code runs have changed:"
    " their variables are lost."
)


def problem_of_folder(cwd: str | None) -> str | None:
    """Say what is wrong with the folder in which code runs; None if nothing is."""
    if cwd is None or Path(cwd).is_dir():
        return None
    return f"settings.cwd: the folder {cwd} does not exist, so no code can run there."


def _workplace(settings: Settings, limits: Limits, environ: keys.Environ) -> Workplace:
    """Return where and how code runs with these settings."""
    cwd = settings.cwd or str(Path.cwd())
    sandbox = None
    if settings.sandbox != "none":
        folders = parse_folders(settings.sandbox_folders, cwd)
        sandbox = Sandbox(mode=settings.sandbox, folders=folders)
    keys.add(settings.api_key)
    passed = tuple((settings.pass_keys or "").replace(",", " ").split())
    return Workplace(
        cwd=cwd,
        environ=environ,
        python=settings.python,
        limits=limits,
        sandbox=sandbox,
        withheld=environ.withheld(passed),
        passed=passed,
    )
