"""Every address × every role, a superuser and nobody × GET and POST: exactly those of docs/access-matrix.csv are let in."""

import pytest

from tests.end_to_end import matrix

PARTS = 10


@pytest.fixture
def there(world, noon, db) -> matrix.World:
    return matrix.World().build()


def test_every_address_has_its_rows_and_every_row_its_address():
    known = {pattern.name for pattern, _prefix in matrix.patterns()}
    wanted = {(name, method) for name in known for method in matrix.METHODS}
    table = matrix.table()
    missing, gone = sorted(wanted - set(table)), sorted(set(table) - wanted)
    assert not missing, f"judge who may, then add to {matrix.FILE.name}: {missing}"
    assert not gone, f"no such address any more: {gone}"


def test_the_table_names_known_people_and_is_sorted():
    lines = matrix.FILE.read_text().splitlines()
    assert lines[0] == matrix.HEAD
    assert lines[1:] == sorted(lines[1:]) and len(lines) == len(set(lines))
    assert {cell for line in lines[1:] for cell in line.split(",")[2:]} == {matrix.YES, ""}


def test_nobody_who_is_not_signed_in_passes_but_where_signing_in_begins():
    public = {route for (route, _method), who in matrix.table().items() if matrix.ANONYMOUS in who}
    assert public <= {"login", "logout", "healthz", "stores_amazonaccount_callback"}


def test_a_superuser_is_let_in_nowhere_that_shows_a_person():
    people = {"shipments_label", "shipments_slip", "shipments_slips", "orders_order_reveal", "orders_customer_reveal"}
    people |= {"orders_order_correct", "orders_order_customization", "shipments_batch_labels", "orders_customer_find"}
    people.add("orders_export_people")
    shown = {
        route for (route, method), who in matrix.table().items()
        if matrix.SUPERUSER in who and route in people and not (method == "GET" and route.endswith(("reveal", "find")))
    }  # fmt: skip
    assert shown == set()


@pytest.mark.sampled(PARTS)
@pytest.mark.parametrize("part", range(PARTS))
def test_each_address_lets_in_whom_the_table_says(there, part):
    table, wrong, cases = matrix.table(), [], 0
    for place in matrix.places(there)[part::PARTS]:
        for method in matrix.METHODS:
            statuses = {who: there.answers(place, method, who) for who in matrix.WHO}
            cases += len(statuses)
            seen = {who for who, status in statuses.items() if matrix.let_in(place.name, method, status)}
            broken = [who for who, status in statuses.items() if status >= 500 and place.name != "healthz"]
            if seen != table.get((place.name, method)) or broken:
                wrong.append(f"{matrix.line(place.name, method, seen)}    {list(statuses.values())}")
    assert cases > 300
    assert not wrong, "let in, as measured:\n" + "\n".join(wrong)
