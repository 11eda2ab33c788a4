"""The commands about sheets: import sheet, template, export sheet, codes."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from negative_list.errors import ListError, Problem, UnknownNameError
from negative_list.shell import fail, tell, write_beside

if TYPE_CHECKING:
    from negative_list.rules import RuleList
    from negative_list.sheets.families import Family
    from negative_list.sheets.importing import Found, SheetImport, Sheets
    from negative_list.sheets.maps import ColumnMap

__all__ = ["register"]

_MODES = ("replace", "add", "action")


def register(app: typer.Typer, importing: typer.Typer) -> None:
    """Add the commands to the program."""
    importing.command("sheet")(_import_sheet)
    app.command("template")(_template)
    exporting = typer.Typer(help="Write a list as what people and bureaus use.", no_args_is_help=True)
    exporting.command("sheet")(_export_sheet)
    app.add_typer(exporting, name="export")
    app.command("codes")(_codes)


def _import_sheet(
    sheets: Annotated[list[Path], typer.Argument(metavar="IN...", help="Sheets: XLSX, XLS or CSV.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="LIST", help="The JSON Lines file to write.")],
    *,
    family: Annotated[str | None, typer.Option(help="Class of the rules: R67, or its official name.")] = None,
    map_file: Annotated[Path | None, typer.Option("--map", help="A map of columns, TOML.")] = None,
    issuer: Annotated[str, typer.Option(help="Who sent the sheet: confirmed maps are kept for them.")] = "",
    confirm: Annotated[bool, typer.Option("--confirm", help="Confirm the proposed map, and keep it.")] = False,
    maps: Annotated[Path | None, typer.Option(help="Folder of confirmed maps; `maps` beside LIST.")] = None,
    existing: Annotated[Path | None, typer.Option(metavar="LIST", help="The list the sheet goes into.")] = None,
    mode: Annotated[str | None, typer.Option(help="replace, add or action: how the sheet is taken.")] = None,
    on: Annotated[str | None, typer.Option(metavar="DATE", help="The day the sheet holds from.")] = None,
    document: Annotated[str, typer.Option(help="The basis of rows that name none.")] = "",
    rejected: Annotated[Path | None, typer.Option(help="Where rejected rows come back; beside LIST.")] = None,
    skip_hidden: Annotated[bool, typer.Option("--skip-hidden", help="Leave out rows the sheet hides.")] = False,
) -> None:
    """Read sheets into a list; good rows go in, bad ones come back with their problems (exit code 1 then)."""
    from negative_list.compile import canonical_lines
    from negative_list.sheets.importing import Wanted, import_tables
    from negative_list.sheets.sets import with_sets

    if mode is not None and mode not in _MODES:
        raise typer.BadParameter(f"`{mode}` is none of {', '.join(_MODES)}", param_hint="--mode")
    day = _day(on)
    if mode == "replace" and existing is not None and day is None:
        raise typer.BadParameter("`replace` ends rules; say from which day the sheet holds", param_hint="--on")
    try:
        told = _family(family, sheets)
        read = _mapped(sheets, told, issuer, maps or output.parent / "maps", map_file, confirm=confirm)
        done = import_tables(
            read.found,
            told,
            with_sets(_existing(existing), read.sets),
            Wanted(mode=mode, on=day, document=document, skip_hidden=skip_hidden),  # type: ignore[arg-type]
        )
    except ListError as error:
        fail(error.problems)
    for note in (*read.notes, *done.notes):
        typer.echo(note, err=True)
    if done.good:
        write_beside(output, b"".join(canonical_lines(done.rules)))
    _tell_import(output, done, rejected)


def _tell_import(output: Path, done: SheetImport, rejected: Path | None) -> None:
    if done.good:
        counts = "，".join(f"{_COUNTED[name]} {count}" for name, count in done.counts.items())
        typer.echo(f"{output}：读入 {done.good} 行；规则：{counts}")
    else:
        typer.echo(f"没有一行可以读入，{output} 未写 (no row could be read, nothing is written)", err=True)
    if done.rejected:
        for path in _return(done, output, rejected):
            typer.echo(f"{path}：退回 {done.rejected} 行 (rejected rows)")
        tell(done.problems[:_MOST_TOLD])
        if len(done.problems) > _MOST_TOLD:
            typer.echo(f"… 共 {len(done.problems)} 个，其余见退回的表 (more in the rejected sheet)", err=True)
    if done.rejected or not done.good:
        raise typer.Exit(1)


_MOST_TOLD = 200
"""Problems on the screen; the rejected sheet has all of them."""

_COUNTED = {"added": "新增", "changed": "调整", "ended": "停用", "unchanged": "未变", "kept": "保留"}


def _return(done: SheetImport, output: Path, rejected: Path | None) -> list[Path]:
    """Write the rejected rows of each file; several files go into a folder of the given name."""
    from negative_list.sheets.writing import rejected_bytes, rejected_suffix

    written = []
    for file, returned in done.returned.items():
        suffix = rejected_suffix(returned[0].grid)
        path = output.parent / f"{Path(file).stem}.rejected{suffix}"
        if rejected is not None:
            path = rejected if len(done.returned) == 1 else rejected / path.name
        write_beside(path, rejected_bytes(returned))
        written.append(path)
    return written


def _mapped(
    sheets: list[Path], family: Family, issuer: str, folder: Path, map_file: Path | None, *, confirm: bool
) -> Sheets:
    """The sheets with their maps; without a confirmed one the command ends, showing the proposed one."""
    from msgspec.structs import replace

    from negative_list.sheets.importing import find_tables, mapped
    from negative_list.sheets.maps import map_path, map_text, read_map

    given = read_map(map_file) if map_file is not None else None
    if given is not None and given.family != family.class_id:
        message = f"列对照表是 {given.family} 的 (the map is of another family); 请换一个 (give another)"
        raise ListError([Problem(file=str(map_file), path="family", message=message)])
    read = find_tables(sheets, family, given)
    sure, unsure = mapped(read.found, family, issuer, folder, given)
    if unsure and not (confirm and given is None):
        _ask(unsure, family)
    for one, column_map, _ in unsure:
        write_beside(map_path(folder, column_map), map_text(column_map, one.header, family).encode())
        sure = (*sure, replace(one, column_map=column_map))
    return replace(read, found=sure)


def _ask(unsure: tuple[tuple[Found, ColumnMap, bool], ...], family: Family) -> None:
    """Show the proposed maps and how to confirm them."""
    from negative_list.sheets.maps import map_text

    shown = set()
    for one, column_map, changed in unsure:
        if changed:
            typer.echo(f"{one.grid.place}：表头与已确认的不同 (the header differs from the confirmed one)", err=True)
        if column_map.header not in shown:
            typer.echo(map_text(column_map, one.header, family))
            shown.add(column_map.header)
    message = (
        "列对照尚未确认 (the map of columns is not confirmed)"
        "; 核对后加 --confirm，或存为文件、修改后用 --map 给出 (add --confirm, or save it, edit it and give --map)"
    )
    fail([one.grid.problem(message, one.header.last) for one, _, _ in unsure])


def _family(named: str | None, sheets: list[Path]) -> Family:
    """The family named, or the one the sheets speak of."""
    from negative_list.sheets.families import family_of
    from negative_list.sheets.grid import read_grids
    from negative_list.sheets.importing import guessed_family

    if named is None:
        found = guessed_family(grid for path in sheets for grid in read_grids(path))
        if found is None:
            message = "看不出是哪类规则 (the family is not told); 请用 --family 给出 (give --family)"
            raise ListError([Problem(file=str(sheets[0]), message=message)])
        typer.echo(f"规则类别 (family)：{found.class_id} {found.name}", err=True)
        return found
    try:
        return family_of(named)
    except UnknownNameError as error:
        raise typer.BadParameter(str(error), param_hint="--family") from error


def _existing(path: Path | None) -> RuleList:
    from negative_list.parse import read_parsed
    from negative_list.rules import RuleList as Rules
    from negative_list.validate import check

    return check(read_parsed(path)) if path is not None else Rules(rules=())


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        message = f"`{text}` is no day; write it like `2026-01-31`"
        raise typer.BadParameter(message, param_hint="--on") from error


def _template(
    family: Annotated[str, typer.Argument(metavar="FAMILY", help="Class of the rules: R67, or its official name.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="SHEET", help="The XLSX file to write.")],
) -> None:
    """Write the empty sheet of a family, with an example row that the importer ignores."""
    from negative_list.sheets.exporting import template_bytes
    from negative_list.sheets.grid import require

    told = _family(family, [])
    try:
        require("openpyxl", output)
    except ListError as error:
        fail(error.problems)
    write_beside(output, template_bytes(told))
    typer.echo(f"{output}：{told.class_id} {told.name}")


def _export_sheet(
    list_path: Annotated[Path, typer.Argument(metavar="LIST", help="A list: a file or a folder of files.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="SHEET", help="The XLSX or CSV file to write.")],
    family: Annotated[str, typer.Option(help="Class of the rules: R67, or its official name.")],
) -> None:
    """Write the rules of a family as a sheet; exit code 1 when some cannot be held, which are named."""
    from negative_list.sheets.exporting import exported
    from negative_list.sheets.grid import require
    from negative_list.sheets.sets import SETS
    from negative_list.sheets.writing import table_bytes

    told = _family(family, [])
    try:
        text = output.suffix.lower() == ".csv"
        done = exported(_existing(list_path), told, str(list_path), sets=not text)
        if not text:
            require("openpyxl", output)
    except ListError as error:
        fail(error.problems)
    write_beside(output, table_bytes(output, {told.class_id: done.rows, SETS: done.sets}))
    typer.echo(f"{output}：{done.rules} 条规则 (rules)，{len(done.rows) - 1} 行 (rows)")
    if done.refused:
        fail(done.refused)


def _codes(
    sheet: Annotated[Path, typer.Argument(metavar="SHEET", help="The code table: XLSX, XLS or CSV.")],
    list_path: Annotated[Path, typer.Option("--list", metavar="LIST", help="The list whose codes are wanted.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell which local codes have no national code, and which codes of the list no local code maps to."""
    from negative_list.sheets.codetable import read_code_sheet
    from negative_list.sheets.unmapped import unmapped

    try:
        table = read_code_sheet(sheet)
        found = unmapped(table.rows, _existing(list_path))
    except ListError as error:
        fail(error.problems)
    for note in table.notes:
        typer.echo(note, err=True)
    typer.echo(_json(found) if as_json else _text(found))
    if table.problems:
        fail(table.problems)


def _json(found: Any) -> str:
    import msgspec

    return msgspec.json.encode(found).decode()


def _text(found: Any) -> str:
    lines = [f"列表编码已对照 (mapped codes of the list)：{found.used}"]
    lines.append(f"医院编码没有国家编码 (local codes without a national one)：{len(found.local)}")
    lines.extend(f"\t{row.local}\t{row.local_name}" for row in found.local)
    lines.append(f"列表编码没有医院编码 (codes of the list without a local one)：{len(found.national)}")
    lines.extend(f"\t{code}" for code in found.national)
    return "\n".join(lines)
