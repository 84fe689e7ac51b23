"""The configuration file and the environment."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oi_daemon.errors import OIError
from oi_daemon.settings import NAMES, OPTIONAL, Settings, schema
from oi_daemon.settings.file import _toml, ensure_config, save_setting, template
from oi_daemon.settings.mcp_servers import McpServer, mcp_servers
from oi_daemon.settings.paths import config_path
from oi_daemon.settings.sources import Loaded, load_settings

SECRET = "sk-0123456789abcdef"


def uncommented(text: str) -> str:
    return re.sub(r"^# ?", "", text, flags=re.MULTILINE)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def load(file: Path, text: str, environ: Mapping[str, str] | None = None) -> Loaded:
    file.write_text(text, encoding="utf-8")
    return load_settings(environ or {}, file)


def test_without_a_file_the_defaults_apply(file: Path) -> None:
    assert load_settings({}, file) == (Settings(), [])


def test_the_template_changes_nothing(file: Path) -> None:
    assert load(file, template()) == (Settings(), [])


def test_the_template_with_all_lines_uncommented_sets_every_setting(file: Path) -> None:
    text = uncommented(template())
    settings, problems = load(file, text)

    assert problems == []
    assert list(tomllib.loads(text)) == list(NAMES)
    for name in NAMES:
        example = schema()["properties"][name]["examples"][0] if name in OPTIONAL else None
        assert getattr(settings, name) == (
            getattr(Settings(), name) if example is None else example
        )


@pytest.mark.parametrize("name", NAMES)
def test_each_setting_of_the_template_can_be_uncommented_alone(file: Path, name: str) -> None:
    begins = re.compile(rf"\n# ({name} = |\[{name}\.)")
    *_, paragraph = (part for part in template().split("\n\n") if begins.search(part))
    settings, problems = load(file, template().replace(paragraph, uncommented(paragraph)))

    assert problems == []
    assert [other for other in NAMES if getattr(settings, other) != getattr(Settings(), other)] == (
        [name] if name in OPTIONAL else []
    )


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x7f")))
@example("\n")
@example("\na\n")
def test_any_text_can_stand_in_the_file(text: str) -> None:
    assert tomllib.loads(f"system_message = {_toml(text)}\n") == {"system_message": text}


def test_the_file_wins_over_defaults_and_the_environment_over_the_file(file: Path) -> None:
    text = 'model = "of the file"\nmax_tokens = 5\n'
    settings, problems = load(file, text, {"OI_MODEL": "of the environment"})

    assert problems == []
    assert (settings.model, settings.max_tokens) == ("of the environment", 5)


@pytest.mark.parametrize(
    ("environ", "name", "value"),
    [
        ({"OPENAI_API_KEY": "a"}, "api_key", "a"),
        ({"OPENAI_API_KEY": "a", "OI_API_KEY": "b"}, "api_key", "b"),
        ({"OPENAI_API_KEY": " a\n"}, "api_key", "a"),
        ({"OPENAI_API_BASE": "http://a"}, "api_base", "http://a"),
        ({"OPENAI_BASE_URL": "http://b", "OPENAI_API_BASE": "http://a"}, "api_base", "http://b"),
        ({"OI_API_BASE": "http://c", "OPENAI_BASE_URL": "http://b"}, "api_base", "http://c"),
        ({"OI_AUTO_RUN": "true"}, "auto_run", True),
        ({"OI_MAX_BUDGET": "0.5"}, "max_budget", 0.5),
        ({"OI_API_KEY": ""}, "api_key", None),
        ({"OI_API_KEY": "", "OPENAI_API_KEY": "a"}, "api_key", "a"),
    ],
)
def test_the_environment(file: Path, environ: dict[str, str], name: str, value: object) -> None:
    settings, problems = load_settings(environ, file)
    assert problems == []
    assert getattr(settings, name) == value


def test_a_wrong_variable_is_told_and_left_out(file: Path) -> None:
    settings, problems = load_settings({"OI_MAX_OUTPUT": "much", "OI_MODEL": "m"}, file)

    assert settings == Settings(model="m")
    assert problems == ["OI_MAX_OUTPUT: max_output: expected a whole number. It is left out."]


def test_variables_that_are_no_setting_are_not_ours(file: Path) -> None:
    assert load_settings({"OI_REAL_MODEL": "x", "OPENAI_ORG": "y"}, file) == (Settings(), [])


MISTAKES = [
    ('mdoel = "x"', 1, "mdoel: there is no such setting; did you mean model?"),
    ("\n# model = 7\nmodel = 7", 3, "model: expected text, got a whole number."),
    ("max_output = 0", 1, "max_output: expected a whole number >= 1."),
    ("\n[general]\nx = 1", 2, "general: there is no such setting."),
    ("[[model]]\nx = 1", 1, "model: expected text, got a list."),
    ("model.name = 1", 1, "model: expected text, got a table."),
    ("model = gpt-4", 1, "model: not valid TOML (Invalid value); text stands in quotes."),
    ('model = "gpt-4', 1, "model: not valid TOML"),
    ("api_base: http://a", 1, "api_base: not valid TOML"),
    ('model = "a"\nmodel = "b"', 2, "model: not valid TOML"),
]


@pytest.mark.parametrize(("text", "line", "mistake"), MISTAKES)
def test_a_mistake_names_file_line_and_key(file: Path, text: str, line: int, mistake: str) -> None:
    [problem] = load(file, text).problems
    assert problem.startswith(f"{file}, line {line}: {mistake}")
    assert problem.endswith(" It is left out.")


@pytest.mark.parametrize("mistake", [text for text, *_ in MISTAKES])
def test_a_mistake_costs_no_other_setting(file: Path, mistake: str) -> None:
    assert load(file, f"max_tokens = 5\n{mistake}\n").settings.max_tokens == 5


SERVERS = """\
max_tokens = 5

[mcp.files]
command = "server"
args = ["--root", "."]

[mcp.web]
url = "https://example.com/mcp"
headers = {Authorization = "Bearer sk-secret-1"}
"""


def test_mcp_servers_are_tables_of_the_file(file: Path) -> None:
    settings, problems = load(file, SERVERS)

    assert problems == []
    servers = mcp_servers(settings.mcp)
    assert servers["files"] == McpServer(command="server", args=("--root", "."))
    assert servers["web"].headers == {"Authorization": "Bearer sk-secret-1"}


@pytest.mark.parametrize(
    ("right", "wrong", "line", "mistake"),
    [
        ('command = "server"', "command = 7", 4, "mcp.files.command: expected text, got a whole"),
        ('"."]', "7]", 5, "mcp.files.args[1]: expected text"),
        ('command = "server"', 'comand = "server"', 3, "mcp.files: object contains unknown field"),
        ('command = "server"', "", 3, "mcp.files: expected either `command` or `url`"),
        ("mcp.files", '"mcp"."my files"', 3, "mcp.my files: a server's name has"),
        ("https:", "ftp:", 8, "mcp.web.url: expected an address that begins with http"),
        ("Bearer", "Bearer\\n", 9, "mcp.web.headers: expected names and texts that HTTP"),
        ("headers =", "max_seconds = 0 #", 9, "mcp.web.max_seconds: expected a number > 0"),
    ],
)
def test_a_wrong_mcp_server_is_told_and_costs_no_other(
    file: Path, right: str, wrong: str, line: int, mistake: str
) -> None:
    settings, [problem] = load(file, SERVERS.replace(right, wrong, 1))

    assert problem.startswith(f"{file}, line {line}: {mistake}")
    assert "sk-secret" not in problem
    assert len(mcp_servers(settings.mcp)) == 1
    assert settings.max_tokens == 5


@pytest.mark.parametrize("text", ['max_tokens = 5\nsystem_message = """\nnever closed', "{", "= 3"])
def test_a_file_that_is_no_toml_at_all_gives_the_defaults(file: Path, text: str) -> None:
    settings, [problem] = load(file, text)

    assert settings == Settings()
    assert problem.startswith(f"{file}: ")
    assert problem.endswith("The defaults apply.")


def test_a_file_that_cannot_be_read_gives_the_defaults(tmp_path: Path, file: Path) -> None:
    assert load_settings({}, tmp_path).settings == Settings()
    file.write_bytes(b"model = '\xff'")
    assert load_settings({}, file) == (
        Settings(),
        [f"{file} cannot be read: it is not UTF-8. The defaults apply."],
    )


@pytest.mark.parametrize(
    "text",
    [
        f"api_key = {SECRET}",
        f"api_key: {SECRET}",
        f'api_key = "{SECRET}',
        f'api_key = "{SECRET}" x',
        f'api_key = ["{SECRET}"]',
        f"{SECRET}",
        f'api_kye = "{SECRET}"',
        f'[api_key]\nkey = "{SECRET}"',
        f'api_key = "{SECRET}"\napi_key = "{SECRET}"',
        f'api_key = """{SECRET}',
    ],
)
def test_no_problem_tells_a_value(file: Path, text: str) -> None:
    problems = load(file, text).problems
    assert problems
    assert SECRET not in " ".join(problems)


def test_empty_text_is_unset(file: Path) -> None:
    assert load(file, 'api_key = ""\napi_base = ""\n') == (Settings(), [])
    assert load(file, 'api_key = ""', {"OPENAI_API_KEY": "a"}).settings.api_key == "a"


def test_a_byte_order_mark_and_windows_lines_are_taken(file: Path) -> None:
    file.write_bytes(b'\xef\xbb\xbfmodel = "m"\r\nmax_output = "x"\r\n')
    settings, [problem] = load_settings({}, file)
    assert settings.model == "m"
    assert "line 2" in problem


def test_the_file_is_made_once_and_private(home: Path) -> None:
    path = ensure_config()

    assert path == config_path()
    assert path.read_text(encoding="utf-8") == template()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [*path.parent.iterdir()] == [path]

    path.write_text('model = "mine"\n', encoding="utf-8")
    assert ensure_config().read_text(encoding="utf-8") == 'model = "mine"\n'


def test_a_file_that_cannot_be_made_is_told(home: Path) -> None:
    (home / ".config").touch()
    with pytest.raises(OIError, match="cannot be written"):
        ensure_config()


def test_reading_makes_no_file(home: Path) -> None:
    load_settings({})
    assert [*home.iterdir()] == []


def test_a_saved_setting_takes_its_commented_line_and_leaves_the_rest() -> None:
    path = ensure_config()
    before = path.read_text()
    assert save_setting("model", "gpt-4o") == path
    assert path.read_text() == before.replace('# model = "gpt-4"', 'model = "gpt-4o"')
    save_setting("model", 'a"b')
    assert load_settings({}).settings.model == 'a"b'
    assert path.stat().st_mode & 0o077 == 0


def test_a_saved_text_of_several_lines_takes_all_of_its_commented_lines() -> None:
    path = ensure_config()
    lines = path.read_text().splitlines()
    save_setting("system_message", 'Be "brief".\n\nBe kind.')
    changed = path.read_text().splitlines()
    start = lines.index('# system_message = """')
    end = next(n for n in range(start, len(lines)) if lines[n].endswith('"""') and n > start)
    assert changed[:start] == lines[:start]
    assert changed[start : start + 4] == ['system_message = """', 'Be "brief".', "", 'Be kind."""']
    assert changed[start + 4 :] == lines[end + 1 :]
    assert load_settings({}).settings.system_message == 'Be "brief".\n\nBe kind.'


EDITED = """\
# My settings.\r
model = "gpt-4"   # the best one\r
\r
  temperature   =   0.5 # warm\r
# api_base = "http://old"\r
max_tokens = 5\r
"""


def test_a_saved_setting_leaves_comments_order_and_spaces_as_they_are() -> None:
    path = ensure_config()
    path.write_bytes(EDITED.encode())
    save_setting("model", "mine")
    save_setting("api_base", "http://new")
    save_setting("local", True)
    expected = EDITED.replace('"gpt-4"', '"mine"')
    expected = expected.replace('# api_base = "http://old"', 'api_base = "http://new"')
    assert path.read_bytes().decode() == f"{expected}local = true\n"


def test_a_saved_setting_never_lands_in_a_longer_text_or_a_table() -> None:
    text = 'system_message = """\nmodel = "mine"\n# model = "mine"\n"""\n'
    table = '[table]\n# model = "mine"\nx = 1\n'
    path = ensure_config()
    path.write_text(f"{text}\n{table}")
    save_setting("model", "gpt-4o")
    assert path.read_text() == f'{text}model = "gpt-4o"\n\n{table}'


@pytest.mark.parametrize(
    ("text", "line"), [("model = gpt-4\n", 1), ('# one\nmodel = "a"\nmodel = "b"\n', 3)]
)
def test_a_file_that_is_not_valid_is_not_touched_and_its_line_is_named(
    text: str, line: int
) -> None:
    path = ensure_config()
    path.write_text(text)
    with pytest.raises(OIError, match=f"line {line}.* add: local = true"):
        save_setting("local", True)
    assert path.read_text() == text


def test_a_setting_is_saved_where_a_link_leads(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("# mine\n")
    path = config_path()
    path.parent.mkdir(parents=True)
    path.symlink_to(real)
    save_setting("local", True)
    assert path.is_symlink()
    assert real.read_text() == "# mine\nlocal = true\n"
