"""One state of a page in the looks that people have it in: the desk at night, and a phone by day and by night."""

from collections.abc import Callable, Iterable

from playwright.sync_api import Locator, Page

from tests.browser.driver import DESKTOP, PHONE

LOOKS = (("phone-light", PHONE, False), ("phone-dark", PHONE, True), ("wide-dark", DESKTOP, True))
# Whether a button can be hit where a hand aims: its middle is in the window, and nothing else lies over it.
HIT = """(button) => {
  const { left, top, width, height } = button.getBoundingClientRect();
  const found = document.elementFromPoint(left + width / 2, top + height / 2);
  return found !== null && button.contains(found);
}"""


def in_every_look(page: Page, screenshot: Callable[..., None], name: str, buttons: Iterable[Locator]) -> None:
    """Resize and recolour the open page, and leave it as wide and as light as it was opened.

    Args:
        page: A page at 1280 x 800, light.
        screenshot: The fixture; a picture is called `name` and the look.
        name: What the state is called.
        buttons: What one must be able to hit in this state, without scrolling.

    Raises:
        AssertionError: The page is wider than its window, or a button is outside it or covered.
    """
    wanted = tuple(buttons)
    for look, (width, height), dark in LOOKS:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light")
        screenshot(page, f"{name}-{look}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide in {look}"
        missed = [str(button) for button in wanted if not button.evaluate(HIT)]
        assert not missed, f"{name} in {look}: not to be hit {missed}"
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    page.emulate_media(color_scheme="light")
