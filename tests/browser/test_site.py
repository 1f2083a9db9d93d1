"""The site answers in a real browser, and a page's console is watched."""

from tests.browser.driver import Pages, wait_until


def test_the_site_answers_in_the_browser(open_page: Pages) -> None:
    page = open_page(allow=["favicon.ico"])  # a JSON answer names no icon, so Chromium asks for the default one
    answer = page.goto("/healthz")
    assert answer is not None
    assert answer.status == 200
    assert '"ok"' in page.content()


def test_a_console_error_is_noted_unless_it_is_allowed(open_page: Pages) -> None:
    page = open_page(allow=["wanted"])
    watched = open_page.watched[-1]
    page.evaluate("console.error('wanted')")
    page.evaluate("console.error('a defect')")
    wait_until(lambda: len(watched.said) == 2, what="both words of the console", page=page)
    assert [text.split(" (")[0] for text in watched.unexpected()] == ["a defect"]
    watched.said.clear()
