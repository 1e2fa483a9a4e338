"""Services and models: twelve on the page, one row for all others, each of them in the CSV file."""

import csv
import io

from relkit.plates.groups import MOST_GROUPS, MOST_LISTED, groups_table
from relkit.report.spreadsheet import table_csv
from relkit.slo import Group, Objective, Totals

GOAL = Objective("availability", "0.999")


def fleet(number: int) -> list[Group]:
    return [Group(f"service-{place:04d}", Totals(1_000, number - place, 3, 1)) for place in range(number)]


def test_a_page_does_not_grow_with_the_number_of_services():
    tables = {number: groups_table(fleet(number), GOAL, "service") for number in (50, 500)}
    sizes = [len(table._repr_mimebundle_()["text/html"]) for table in tables.values()]
    assert max(sizes) < 1.1 * min(sizes)
    assert all(len(table.rows) == MOST_GROUPS + 1 for table in tables.values())


def test_every_service_is_found_in_the_csv_and_the_others_add_up():
    groups = fleet(500)
    table = groups_table(groups, GOAL, "service")
    rows = list(csv.reader(io.StringIO(table_csv(table.record()))))[1:]
    assert [row[0] for row in rows] == [group.name for group in groups]
    assert [int(row[2]) for row in rows] == [group.totals.bad for group in groups]
    assert table.rows[-1][0] == "488 other services"
    shown = sum(int(row[2].replace("\u202f", "")) for row in table.rows)
    assert shown == sum(group.totals.bad for group in groups)


def test_twelve_services_need_no_row_of_others():
    table = groups_table(fleet(MOST_GROUPS), GOAL, "service")
    assert len(table.rows) == MOST_GROUPS
    assert "unlisted" not in table.record()


def test_a_log_of_countless_names_lists_a_thousand():
    table = groups_table(fleet(3_000), GOAL, "model")
    assert len(table.unlisted) + MOST_GROUPS == MOST_LISTED


def test_requests_without_a_name_are_said_to_have_none():
    assert "(no service)" in groups_table([*fleet(1), Group("", Totals(5, 9, 0, 0))], GOAL, "service").rows[1]
    assert (
        groups_table([Group("", Totals(5, 1, 0, 0))], GOAL, "model").caption
        == "No request with a known outcome names a model."
    )
