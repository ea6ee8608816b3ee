"""A command line that cannot be read is one line on standard error, exit 2."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recsys import __version__
from recsys.cli.main import COMMANDS, app


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "--lss", "triplet"], "error: no such option --lss; did you mean --loss?"),
        (["runs", "--zzz"], "error: no such option --zzz; see recsys runs --help"),
        (["index", "build", "--targt", "1"], "error: no such option --targt; did you mean --target-recall?"),
        (["trian"], "error: no such command 'trian'; did you mean 'train'?"),
        (["zzz"], "error: no such command 'zzz'; see recsys --help"),
        (["etl"], "error: missing argument 'LOG...'; see recsys etl --help"),
        (
            ["runs", "--last", "x"],
            "error: invalid value for '--last': 'x' is not a valid int; see recsys runs",
        ),
        (["recommend", "3"], "error: got unexpected extra argument(s) (3); see recsys recommend --help"),
    ],
)
def test_what_cannot_be_read_is_one_line(words: list[str], message: str) -> None:
    result = CliRunner().invoke(app, words, prog_name="recsys")
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith(message)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_takes_instead_of_a_wrong_option(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--no-such-option"], prog_name="recsys")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert "no such option --no-such-option; see recsys" in result.stderr


def test_the_version_is_printed() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"recsys {__version__}\n")


def test_exit_codes_of_a_process_are_those_of_the_commands(tmp_path: Path) -> None:
    code = "import sys; sys.argv[0] = 'recsys'; from recsys.cli.main import main; main()"

    def run(*words: str) -> int:
        words = (*words, "--home", str(tmp_path))
        return subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, check=False
        ).returncode

    assert run("runs") == 0
    assert run("recommend", "--user", "1") == 2
    assert run("runs", "--zzz") == 2
