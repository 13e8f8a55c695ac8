"""The `toolkit` command: a group whose verbs are loaded on demand, and one place for exit codes.

0 clean, 1 findings, 2 wrong usage, 3 configuration or environment, 130 interrupted.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module

import click

CLEAN, FINDINGS, USAGE, ENVIRONMENT, INTERRUPTED = 0, 1, 2, 3, 130

_VERBS = {
    "backtest": "Run a rule over the last days of a live workspace.",
    "deploy": "Put content into a workspace: validate, plan, show, ask, apply, verify.",
    "destroy": "Delete everything from a workspace that this project deployed.",
    "drift": "Find what was changed in a workspace since it was deployed.",
    "init": "Make a new project folder that validates at once.",
    "new": "Write a new rule with its cases and a sample log.",
    "plan": "Show what a deployment would change in a workspace.",
    "pull": "Write files for what is only in a workspace.",
    "query": "Run KQL on a folder of recorded logs.",
    "record": "Record logs of a workspace as sample files, with pseudonyms.",
    "render": "Print the KQL of a rule with its template parameters filled in.",
    "rollback": "Deploy the content of an earlier revision.",
    "serve": "Answer Kusto and Log Analytics clients from recorded logs.",
    "validate": "Check detection content and prove it on its recorded logs.",
    "workbook": "Preview workbooks, and keep their texts in files of their own.",
}


class _Lazy(click.Group):
    """Knows the verbs and their summaries; imports a verb's module when it runs or shows its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        command: click.Command = import_module(f"toolkit.cli.{cmd_name}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _VERBS and not args[0].startswith("-"):
            from toolkit.kql.diagnostics import suggestion

            hint = " ".join(suggestion(args[0], _VERBS)) or f"Commands: {', '.join(_VERBS)}."
            ctx.fail(f"No such command {args[0]!r}. {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))


def _show_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"toolkit {version('toolkit')}")
    except PackageNotFoundError:
        click.echo("toolkit, run from a folder that is not installed")
    ctx.exit()


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version and exit.")
def cli() -> None:
    """Detection content for Microsoft Sentinel as code."""


class _WithoutPandas:
    """Refuses the import of pandas, as if it were not installed.

    pyarrow imports it (a third of a second) for the first list that it converts, wherever it is installed, just to
    recognize its objects. There are none on the command line.
    """

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'", name=name)


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    gc.set_threshold(100_000)  # a short run makes many objects and little garbage: fewer collections save a tenth of it
    sys.meta_path.insert(0, _WithoutPandas())
    sys.exit(run(args))


def run(args: list[str] | None = None) -> int:
    """Run the command line; the exit code instead of an exit."""
    from toolkit.kql.diagnostics import ToolkitError

    try:
        result = cli.main(args, prog_name="toolkit", standalone_mode=False)
        return result if isinstance(result, int) else CLEAN
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code if error.exit_code != 1 else USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nInterrupted.", err=True)
        return INTERRUPTED
    except SystemExit:  # how click leaves when the reader of a pipe has gone; nothing is wrong with that
        return CLEAN
    except ToolkitError as error:
        click.echo(str(error), err=True)
        return ENVIRONMENT
    except Exception as error:  # noqa: BLE001  (the last resort: nobody is shown a traceback who did not ask for it)
        return _defect(error)


def _defect(error: Exception) -> int:
    """An exception that nothing expected: one line, or the traceback with TOOLKIT_DEBUG=1."""
    import os
    import traceback

    if os.environ.get("TOOLKIT_DEBUG"):
        traceback.print_exception(error)
    summary = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    click.echo(f"A defect of the toolkit: {summary}\nTOOLKIT_DEBUG=1 shows where it happened; please report it.", err=True)
    return ENVIRONMENT
