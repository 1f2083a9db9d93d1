"""XML as the older OGC protocols speak it. Only written, never read: requests come as key-value pairs."""

import re
from xml.etree.ElementTree import Element, SubElement, tostring

from django.http import HttpResponse

# What XML 1.0 cannot hold, escaped or not (section 2.2).
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def node(parent: Element, tag: str, text: object = "", **attributes: object) -> Element:
    """Return a new child; in attribute names `__` stands for a colon and a `_` at the end is dropped."""
    made = SubElement(parent, tag)
    made.text = clean(str(text)) or None
    for name, value in attributes.items():
        made.set(name.removesuffix("_").replace("__", ":"), clean(str(value)))
    return made


def root(tag: str, namespaces: dict[str, str], **attributes: str) -> Element:
    """Return a new document's element; `namespaces` by prefix, "" for the default one."""
    made = Element(tag)
    for prefix, uri in namespaces.items():
        made.set(f"xmlns:{prefix}" if prefix else "xmlns", uri)
    for name, value in attributes.items():
        made.set(name.replace("__", ":"), value)
    return made


def answer(element: Element, kind: str, status: int = 200) -> HttpResponse:
    """Return the document as a response."""
    body = b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(element, encoding="utf-8")
    return HttpResponse(body, status=status, content_type=kind)


def clean(text: str) -> str:
    """Return the text without characters that XML cannot hold."""
    return _FORBIDDEN.sub("", text)
