"""The content page, the log-in and the page shell in a real browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from labeling.models import LabelSet
from tests.browser.driver import DESKTOP, PHONE, Pages
from tests.factories import make_imagery, make_layer, make_project, make_user
from webapp.demo.selectors import PROJECT
from webapp.jobs import services as jobs
from webapp.jobs.models import Job
from webapp.maps import services
from webapp.projects.models import Member, Project, Role


@pytest.fixture
def project(open_page: Pages) -> Project:
    ana = make_user("ana", password="a long pass phrase")
    project = make_project(ana)
    project.name = "Banepa"
    project.save()
    scene = make_imagery(project, name="Drone mosaic", created_by=ana)
    roofs = make_layer(project, classes=[(1, "Roof", "#d95f02")])
    LabelSet.objects.create(project=project, name="Roofs", imagery=scene, layer=roofs, created_by=ana)
    services.create_map(project=project, name="Town by roof", user=ana, layers=[scene])
    return project


def test_content_of_all_kinds_is_listed_filtered_and_opened(open_page: Pages, project: Project) -> None:
    page = open_page(make_user("ana"))
    page.goto("/")
    expect(page.locator(".content-name a")).to_have_text(["Town by roof", "Roofs", "Drone mosaic"])
    page.get_by_role("tab", name="Label sets").click()
    expect(page.locator(".content-name a")).to_have_text(["Roofs"])
    expect(page).to_have_url(re.compile(r"/\?kind=label_set$"))
    page.get_by_role("tab", name="Label sets").press("ArrowLeft")
    page.get_by_role("tab", name="Photos").press("ArrowLeft")
    expect(page.locator(".content-name a")).to_have_text(["Drone mosaic"])
    page.get_by_role("tab", name="Maps").click()
    page.get_by_role("link", name="Town by roof").click()
    expect(page).to_have_url(re.compile(r"/maps/[0-9a-f-]{36}/"))


def test_the_search_key_leads_to_results_and_back(open_page: Pages, project: Project) -> None:
    page = open_page(make_user("ana"))
    page.goto("/")
    expect(page.locator(".content-name a")).to_have_count(3)
    page.keyboard.press("/")
    page.keyboard.type("roof")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Results for “roof”")).to_be_visible()
    expect(page.locator(".content-name a")).to_have_text(["Town by roof", "Roofs"])
    page.get_by_role("button", name="Clear the search").click()
    expect(page.locator(".content-name a")).to_have_count(3)
    page.goto("/?q=nowhere")
    page.get_by_role("button", name="Show everything").click()
    expect(page.locator(".content-name a")).to_have_count(3)


def test_who_has_no_project_is_led_to_make_one(open_page: Pages) -> None:
    page = open_page(make_user("newcomer"))
    page.goto("/")
    expect(page.get_by_role("heading", name="Start with a project")).to_be_visible()
    page.get_by_role("button", name="New project").last.click()
    page.get_by_label("Name").fill("Rooftops")
    page.get_by_label("Name").press("Enter")
    expect(page).to_have_url(re.compile(r"/projects/[0-9a-f-]{36}/"))
    expect(page.get_by_role("heading", name="Rooftops")).to_be_visible()


def test_an_empty_project_says_what_to_do_next(open_page: Pages) -> None:
    ana = make_user("ana")
    project = make_project(ana)
    page = open_page(ana)
    page.goto("/")
    link = page.locator(".empty").get_by_role("link", name="Upload imagery")
    expect(link).to_have_attribute("href", f"/imagery/upload?project={project.pk}")
    page.get_by_role("button", name="New map").click()
    page.get_by_label("Name").fill("Town by roof")
    page.get_by_role("button", name="Create map").click()
    expect(page).to_have_url(re.compile(r"/maps/[0-9a-f-]{36}/"))


def test_a_stranger_signs_in_by_keyboard_and_lands_where_they_wanted(open_page: Pages, project: Project) -> None:
    page = open_page()
    page.goto("/?kind=map")
    expect(page).to_have_url(re.compile(r"/login/\?next=/%3Fkind%3Dmap"))
    page.keyboard.type("ana")
    page.keyboard.press("Tab")
    page.keyboard.type("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password").fill("a long pass phrase")
    page.keyboard.press("Enter")
    expect(page.locator(".content-name a")).to_have_text(["Town by roof"])
    page.locator(".user-menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to Quadrat")).to_be_visible()


def test_the_theme_is_remembered_and_comes_with_the_page(open_page: Pages, project: Project) -> None:
    page = open_page(make_user("ana"))
    page.goto("/")
    ground = "() => getComputedStyle(document.body.parentElement).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Switch between light and dark").click()
    dark = page.evaluate(ground)
    assert dark != light
    answer = page.goto("/")
    assert answer is not None
    assert 'data-theme="dark"' in answer.text()
    assert page.evaluate(ground) == dark


def test_a_page_that_is_not_there_says_so_and_leads_back(open_page: Pages, project: Project) -> None:
    page = open_page(make_user("ana"), allow=["404"])
    page.goto("/maps/00000000-0000-4000-8000-000000000000/")
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    page.goto("/nowhere")
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    page.get_by_role("link", name="Go to content").click()
    expect(page.get_by_role("heading", name="Content")).to_be_visible()


def test_the_first_tab_stop_leads_past_the_header(open_page: Pages, project: Project) -> None:
    page = open_page(make_user("ana"))
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_the_demo_is_run_by_its_button_and_ends_with_its_map_and_score(
    open_page: Pages, project: Project, screenshot: Callable[..., None]
) -> None:
    project.name = PROJECT
    project.save()
    demo = make_user("demo")
    Member.objects.create(project=project, user=demo, role=Role.OWNER)
    page = open_page(demo)
    page.goto("/")
    page.get_by_role("button", name="Run the demo").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    job = Job.objects.get(kind="demo")
    claimed = jobs.claim(worker="test", lanes=[job.lane])
    assert claimed is not None
    assert claimed.token is not None
    screenshot(page, "demo-running")
    within = {"iou": 0.55, "precision": 0.67, "recall": 0.76, "chance_iou": 0.25}
    other = {"iou": 0.31, "precision": 0.76, "recall": 0.35, "chance_iou": 0.38}
    map_url = f"/maps/{project.maps.get().pk}/"
    result = {
        "map": map_url,
        "score": within,
        "labels": 209,
        "elsewhere": {"map": f"{map_url}?other", "imagery": "Road through forest", "score": other, "labels": 279},
        "sentence": "",
        "position_assumed": ["Forest edge"],
    }
    jobs.finish(job_id=job.pk, token=claimed.token, result=result)
    expect(page.get_by_role("row", name="held-out south 209 0.55 0.67")).to_be_visible()
    expect(page.get_by_role("row", name="never trained on 279 0.31 no better than “all trees”")).to_be_visible()
    expect(page.get_by_text("The place on Earth of “Forest edge” is assumed.")).to_be_visible()
    screenshot(page, "demo-done")
    page.get_by_role("link", name="Open the map").click()
    expect(page).to_have_url(re.compile(map_url))


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pages_fit_the_window(
    open_page: Pages, project: Project, screenshot: Callable[..., None], size: tuple[int, int], dark: bool
) -> None:
    page = open_page(make_user("ana"), size=size, dark=dark)
    for name, address in {"content": "/", "error": "/nowhere"}.items():
        open_page.watched[-1].allow = ["404"]
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("() => document.documentElement.scrollWidth") <= size[0]
        screenshot(page, f"{name}-{size[0]}-{'dark' if dark else 'light'}")
    if size == PHONE:
        page.locator(".user-menu summary").click()
        expect(page.locator(".user-menu").get_by_role("link", name="Models")).to_be_visible()
