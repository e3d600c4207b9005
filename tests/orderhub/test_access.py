"""Who may do what: five roles, written in one place, and nobody above them."""

import pytest
from django.contrib.auth.models import Group, Permission

from privacy import access
from privacy.models import AccessLog
from tests.factories import make_order, make_user

pytestmark = pytest.mark.django_db


def held_by(group: Group) -> set[str]:
    rows = group.permissions.select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


@pytest.mark.parametrize("role", access.ROLES)
def test_a_role_holds_exactly_what_is_written(role):
    assert held_by(Group.objects.get(name=role)) == set(access.ROLES[role])


def test_there_are_five_roles_and_each_has_a_name_for_people():
    assert set(Group.objects.values_list("name", flat=True)) == set(access.ROLES) == set(access.LABELS)
    assert len(access.ROLES) == 5


def test_what_was_added_or_taken_by_hand_is_put_right_again():
    warehouse = Group.objects.get(name=access.WAREHOUSE)
    warehouse.permissions.add(Permission.objects.get(codename="grant_features"))
    warehouse.permissions.remove(Permission.objects.get(codename="add_shipment"))
    access.sync_roles()
    assert held_by(warehouse) == set(access.ROLES[access.WAREHOUSE])


def test_only_customer_success_grants_features():
    assert [role for role, rights in access.ROLES.items() if "stores.grant_features" in rights] == [access.SUCCESS]


def test_only_support_and_warehouse_see_people():
    seeing = {role for role, rights in access.ROLES.items() if any("view_personal_data" in right for right in rights)}
    assert seeing == {access.SUPPORT, access.WAREHOUSE}


def test_nobody_may_change_or_delete_the_proof_of_an_erasure():
    rights = {right for rights in access.ROLES.values() for right in rights if right.startswith("privacy.")}
    assert {right for right in rights if right.endswith(("certificate", "accesslog", "securityevent"))} == {
        "privacy.view_erasurecertificate", "privacy.view_accesslog", "privacy.view_securityevent",
    }  # fmt: skip


def test_a_superuser_is_no_member_of_customer_success():
    assert not access.has_role(make_user(is_superuser=True), access.SUCCESS)
    assert access.has_role(make_user(access.SUCCESS), access.SUCCESS)


def test_someone_who_left_has_no_role():
    assert not access.has_role(make_user(access.SUCCESS, is_active=False), access.SUCCESS)


@pytest.mark.parametrize(
    ("roles", "while_open", "afterwards"),
    [
        ((access.SUPPORT,), True, True),
        ((access.WAREHOUSE,), True, False),
        ((access.SUCCESS,), False, False),
        ((access.PRIVACY,), False, False),
        ((access.ADMINISTRATOR,), False, False),
        ((access.WAREHOUSE, access.PRIVACY), True, False),
        ((access.SUPPORT, access.WAREHOUSE), True, True),
        ((), False, False),
    ],
)
def test_who_sees_names_and_streets(roles, while_open, afterwards):
    user = make_user(*roles)
    assert access.may_see_person(user, order_open=True) is while_open
    assert access.may_see_person(user, order_open=False) is afterwards


@pytest.mark.parametrize("order_open", [True, False])
def test_a_superuser_sees_nobody(order_open):
    assert not access.may_see_person(make_user(is_superuser=True), order_open=order_open)


def test_someone_who_left_sees_nobody():
    assert not access.may_see_person(make_user(access.SUPPORT, is_active=False), order_open=True)


def test_a_view_is_logged_with_ids_only(noon):
    user, order = make_user(access.SUPPORT), make_order()
    access.log_view(user, order.pk, what="order page")
    row = AccessLog.objects.get()
    assert (row.user, row.order_id, row.what, row.why, row.at) == (user, order.pk, "order page", "", noon)
    assert "Ada" not in str(row)
