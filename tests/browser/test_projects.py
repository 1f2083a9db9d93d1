"""Members, tokens, passwords and the administration in the browser."""

import urllib.error
import urllib.request
from collections.abc import Callable

from django.contrib import admin
from django.contrib.gis.geos import Polygon
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser.driver import PHONE, Pages, Site
from tests.factories import make_project, make_user
from tests.security.world import make_world
from webapp.features.models import Feature
from webapp.projects.models import Member, User


def test_a_manager_adds_promotes_and_removes_a_member(
    open_page: Pages, ana: User, screenshot: Callable[..., None]
) -> None:
    project = make_project(ana)
    make_user("ben", first_name="Ben", last_name="Rai")
    page = open_page(ana, allow=["400", "409"])  # the refusals below
    page.goto(f"/projects/{project.pk}/")
    page.get_by_label("Add by user name").fill("nobody")
    page.get_by_label("Add by user name").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Nobody here has the user name 'nobody'.")
    page.get_by_label("Add by user name").fill("ben")
    page.get_by_role("button", name="Add member").click()
    row = page.get_by_role("row", name="ben")
    expect(row.get_by_label("Role of ben")).to_have_value("labeler")
    row.get_by_label("Role of ben").select_option("reviewer")
    expect(page.get_by_text("ben is reviewer now.")).to_be_visible()
    assert Member.objects.get(project=project, user__username="ben").role == 30
    screenshot(page, "project")
    page.get_by_role("row", name="ana").get_by_role("button", name="Leave").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(page.get_by_role("dialog")).to_contain_text("ana is the last owner of the project.")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    row.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    page.get_by_role("tab", name="History").click()
    page.reload()
    expect(page.get_by_role("table")).to_contain_text("Removed a member")
    page.get_by_role("tab", name="Settings").click()
    page.go_back()
    expect(page.get_by_role("tab", name="History")).to_have_attribute("aria-selected", "true")
    page.get_by_role("tab", name="Settings").click()
    page.get_by_label("Name").fill("Banepa")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Banepa", level=1)).to_be_visible()


def test_a_viewer_sees_the_members_and_can_only_leave(open_page: Pages, ana: User, site: Site) -> None:
    ben = make_user("ben")
    project = make_project(ana, viewer=ben)
    page = open_page(ben)
    page.goto(f"/projects/{project.pk}/")
    expect(page.get_by_role("row", name="ana")).to_contain_text("owner")
    expect(page.get_by_role("tab")).to_have_count(0)
    expect(page.get_by_role("combobox")).to_have_count(0)
    page.get_by_role("button", name="Leave").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    page.wait_for_url(f"{site.url}/")
    assert not Member.objects.filter(user=ben).exists()


def call(site: Site, token: str) -> int:
    request = urllib.request.Request(f"{site.url}/api/me/", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_token_is_made_shown_once_used_and_revoked(
    open_page: Pages, ana: User, site: Site, screenshot: Callable[..., None]
) -> None:
    page = open_page(ana)
    page.goto("/profile/")
    expect(page.get_by_role("heading", name="No tokens yet")).to_be_visible()
    page.get_by_role("button", name="New token").click()
    page.get_by_role("dialog").get_by_label("Name").fill("QGIS")
    page.get_by_role("dialog").get_by_label("Name").press("Enter")
    token = page.locator(".shown-once code").inner_text()
    assert call(site, token) == 200
    screenshot(page, "profile")
    page.reload()
    expect(page.get_by_role("row", name="QGIS")).to_be_visible()
    expect(page.locator(".shown-once")).to_have_count(0)
    page.get_by_role("row", name="QGIS").get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("heading", name="No tokens yet")).to_be_visible()
    assert call(site, token) == 401


def sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/login/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_password_is_changed_and_the_new_one_signs_in(
    open_page: Pages, site: Site, screenshot: Callable[..., None]
) -> None:
    make_user("eve", password="correct horse battery")
    page = open_page(size=PHONE)
    sign_in(page, "eve", "correct horse battery")
    page.wait_for_url(f"{site.url}/")
    page.goto("/profile/")
    page.get_by_label("Old password").fill("correct horse battery")
    page.get_by_label("New password", exact=True).fill("staple staple staple")
    page.get_by_label("New password again").fill("something else")
    expect(page.get_by_text("The two do not match.")).to_be_visible()
    expect(page.get_by_role("button", name="Change password")).to_be_disabled()
    page.get_by_label("New password again").fill("staple staple staple")
    screenshot(page, "profile-phone", full_page=True)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    other = open_page()
    sign_in(other, "eve", "staple staple staple")
    other.wait_for_url(f"{site.url}/")


def test_too_many_wrong_passwords_are_told_to_wait(open_page: Pages) -> None:
    make_user("eve", password="correct horse battery")
    page = open_page(allow=["429"])
    for _ in range(6):
        sign_in(page, "eve", "wrong")
        # The next visit would cut off an attempt that is still on its way.
        expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("too many attempts")


def test_the_api_page_lists_who_may_call_what(open_page: Pages, screenshot: Callable[..., None]) -> None:
    page = open_page()
    page.goto("/api/docs/")
    expect(page.get_by_role("heading", name="jobs")).to_be_visible()
    expect(page.get_by_role("row", name="POST /api/jobs/{pk}/cancel")).to_contain_text("labeler")
    screenshot(page, "api-docs")


def test_the_administration_renders_without_a_word_from_the_console(
    open_page: Pages, transactional_db: None, screenshot: Callable[..., None]
) -> None:
    make_world()
    # A house of about six metres: the map must come near enough to see it.
    house = Polygon.from_bbox((85.5, 27.6, 85.50006, 27.60006))
    Feature.objects.update(geometry=house)
    page = open_page(make_user("root", is_staff=True, is_superuser=True))
    page.goto("/admin/")
    screenshot(page, "admin")
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        page.goto(reverse(f"{name}_changelist"))
        row = model._default_manager.first()
        if row is not None:
            page.goto(reverse(f"{name}_change", args=[row.pk]))
            expect(page.locator("#content h1, #content-main").first).to_be_visible()
        if model._meta.model_name == "imagerylayer":
            expect(page.locator(".leaflet-container")).to_be_visible()
            expect(page.locator(".leaflet-overlay-pane path")).to_have_count(1)
            expect(page.locator(".field-statistics td").first).to_be_visible()
            assert page.locator("text=histogram").count() == 0
            screenshot(page, "admin-imagery", full_page=True)
        if model is Feature:
            drawn = page.locator(".leaflet-overlay-pane path").bounding_box()
            assert drawn is not None
            assert drawn["height"] > 60, "the sample is a dot"
            screenshot(page, "admin-feature", full_page=True)
