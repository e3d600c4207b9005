"""Users, job records, and what must not be in the admin at all."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse

from orderhub import clock
from orderhub.models import JobLease, JobRun, User
from tests.factories import make_user
from tests.signins import freshen

pytestmark = pytest.mark.django_db
ROLES = ["Support", "Customer success", "Administrator", "Warehouse", "Privacy officer"]
USERS = "/admin/orderhub/user/"


def sign_in(client, *roles, **given):
    user = make_user(*roles, **given)
    client.force_login(user)
    freshen(client)
    return user


def details(user, **other) -> dict:
    return {"username": user.username, "language": "en", "is_active": "on"} | other


def group(name: str) -> int:
    return Group.objects.get(name=name).pk


# ---- what is not there


@pytest.mark.parametrize("app", ["django_q", "sessions", "contenttypes", "auth", "admin"])
def test_no_model_that_runs_code_or_grants_rights_is_registered(app):
    registered = [model for model in apps.get_app_config(app).get_models() if admin.site.is_registered(model)]
    assert registered == []


def test_there_is_no_door_to_the_queue_even_for_a_superuser(client):
    sign_in(client, is_superuser=True)
    for model in ("schedule", "success", "failure", "ormq", "task"):
        with pytest.raises(NoReverseMatch):
            reverse(f"admin:django_q_{model}_add")
        assert client.get(f"/admin/django_q/{model}/add/").status_code == 404
        assert client.post(f"/admin/django_q/{model}/add/", {"func": "os.system"}).status_code == 404


def test_the_right_to_add_a_schedule_gives_nothing(client):
    user = sign_in(client, "Support")
    user.user_permissions.add(*Permission.objects.filter(content_type__app_label="django_q"))
    client.force_login(User.objects.get(pk=user.pk))
    assert client.get("/admin/django_q/").status_code == 404
    assert client.post("/admin/django_q/schedule/add/", {"func": "os.system"}).status_code == 404
    assert "django_q" not in client.get("/admin/").content.decode()


# ---- users


@pytest.mark.parametrize("role", ROLES)
def test_users_are_seen_and_changed_by_administrators_only(client, role):
    other = make_user("Support", username="sam")
    sign_in(client, role)
    allowed = role == "Administrator"
    assert client.get(USERS).status_code == (200 if allowed else 403)
    assert client.get(f"{USERS}add/").status_code == (200 if allowed else 403)
    answer = client.post(f"{USERS}{other.pk}/change/", details(other, first_name="Sam", groups=[group("Warehouse")]))
    assert answer.status_code == (302 if allowed else 403)
    assert client.get(f"{USERS}{other.pk}/password/").status_code == (200 if allowed else 403)
    assert client.get(f"{USERS}999999/password/").status_code == (404 if allowed else 403)
    assert client.post(f"{USERS}{other.pk}/delete/", {"post": "yes"}).status_code == 403
    assert other.groups.get().name == ("Warehouse" if allowed else "Support")


def test_an_administrator_adds_a_user_who_is_staff_with_roles_and_nothing_else(client):
    sign_in(client, "Administrator")
    password = "A long-enough phrase 1"
    answer = client.post(
        f"{USERS}add/",
        {
            "username": "nina", "password1": password, "password2": password, "language": "fr",
            "groups": [group("Support")], "is_superuser": "on",
            "user_permissions": list(Permission.objects.values_list("pk", flat=True)[:5]),
        },
    )  # fmt: skip
    assert answer.status_code == 302
    nina = User.objects.get(username="nina")
    assert (nina.is_staff, nina.is_superuser, nina.is_active) == (True, False, True)
    assert list(nina.groups.values_list("name", flat=True)) == ["Support"]
    assert nina.user_permissions.count() == 0
    assert client.login(username="nina", password=password)


def test_an_administrator_cannot_make_or_touch_a_superuser(client):
    root = make_user(is_superuser=True, username="root")
    other = make_user("Support")
    sign_in(client, "Administrator")
    assert "is_superuser" not in client.get(f"{USERS}{other.pk}/change/").content.decode()
    client.post(f"{USERS}{other.pk}/change/", details(other, is_superuser="on"))
    assert not User.objects.get(pk=other.pk).is_superuser
    assert client.post(f"{USERS}{root.pk}/change/", details(root, first_name="X")).status_code == 403
    forged = {"password1": "a new long phrase", "password2": "a new long phrase", "usable_password": "true"}
    assert client.post(f"{USERS}{root.pk}/password/", forged).status_code == 403
    assert User.objects.get(pk=root.pk).check_password("correct horse battery")


def test_nobody_changes_their_own_rights(client):
    user = sign_in(client, "Administrator")
    client.post(f"{USERS}{user.pk}/change/", details(user, groups=[group("Customer success")], is_superuser="on"))
    user.refresh_from_db()
    assert list(user.groups.values_list("name", flat=True)) == ["Administrator"]
    assert not user.is_superuser


@pytest.mark.parametrize("role", ["Support", "Customer success", "Warehouse"])
def test_an_administrator_is_in_no_role_that_sees_buyers(client, role):
    other = make_user("Support")
    sign_in(client, "Administrator")
    answer = client.post(f"{USERS}{other.pk}/change/", details(other, groups=[group("Administrator"), group(role)]))
    assert "An administrator cannot be in support" in answer.content.decode()
    assert list(other.groups.values_list("name", flat=True)) == ["Support"]


def test_a_new_password_keeps_its_day(client, noon):
    other = make_user("Support")
    sign_in(client, "Administrator")
    clock.advance(days=40)
    freshen(client)
    phrase = "Another long-ish phrase 2"
    client.post(f"{USERS}{other.pk}/password/", {"password1": phrase, "password2": phrase, "usable_password": "true"})
    other.refresh_from_db()
    assert other.check_password(phrase)
    assert other.password_changed_at == noon + timedelta(days=40)


def test_there_is_no_widget_for_single_rights(client):
    other = make_user("Support")
    sign_in(client, is_superuser=True)
    page = client.get(f"{USERS}{other.pk}/change/").content.decode()
    assert "user_permissions" not in page
    assert 'name="is_superuser"' in page


# ---- jobs


@pytest.mark.parametrize("role", ROLES)
def test_job_records_are_read_by_privacy_officers_and_administrators(client, role):
    run = JobRun.objects.create(job="orders.import_account:1", ok=True, outcome="3 orders")
    JobLease.objects.create(job="orders.import_account:1")
    sign_in(client, role)
    allowed = role in {"Privacy officer", "Administrator"}
    for address in ("jobrun/", "joblease/", f"jobrun/{run.pk}/change/"):
        assert client.get(f"/admin/orderhub/{address}").status_code == (200 if allowed else 403)
    assert client.post(f"/admin/orderhub/jobrun/{run.pk}/change/", {"outcome": "forged"}).status_code == 403
    assert client.post("/admin/orderhub/jobrun/add/", {"job": "forged"}).status_code == 403
    assert client.post(f"/admin/orderhub/jobrun/{run.pk}/delete/", {"post": "yes"}).status_code == 403
    assert JobRun.objects.get().outcome == "3 orders"


def queries(client, address: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(address).status_code == 200
    return len(caught)


@pytest.mark.parametrize("name", ["user", "jobrun", "joblease"])
def test_lists_take_the_same_queries_for_5_and_25_rows(client, name):
    sign_in(client, "Administrator")

    def grow(numbers):
        for number in numbers:
            make_user("Support", "Warehouse")
            JobRun.objects.create(job=f"job:{number}")
            JobLease.objects.create(job=f"job:{number}")

    grow(range(5))
    client.get("/admin/")
    few = queries(client, f"/admin/orderhub/{name}/")
    grow(range(5, 25))
    assert queries(client, f"/admin/orderhub/{name}/") == few <= 14


# ---- titles


def test_pages_are_titled_by_what_is_done_or_by_their_object(client):
    other = make_user("Support", username="maud")
    sign_in(client, "Administrator")
    for address, title in ((f"{USERS}add/", "New user"), (f"{USERS}{other.pk}/change/", "maud")):
        page = client.get(address).content.decode()
        assert f"<title>{title} | OrderHub</title>" in page and page.count("<h1>") == 1 and f"<h1>{title}</h1>" in page
    assert ">New user</a>" in client.get(USERS).content.decode()
    assert ">Connect an Amazon account</a>" in client.get("/admin/stores/amazonaccount/").content.decode()


def test_users_are_filtered_by_role(client):
    make_user("Warehouse", username="wanda")
    sign_in(client, "Administrator")
    found = client.get(USERS, {"role": "Warehouse"}).context["cl"].result_list
    assert [user.username for user in found] == ["wanda"]
