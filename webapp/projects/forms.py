"""The sign-in form: counts an attempt before it looks at the password."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from webapp.errors import TooMany
from webapp.projects import throttle
from webapp.projects.services import LONGEST_PASSWORD


class SignInForm(AuthenticationForm):
    """User name and password. Known and unknown names get the same text after the same work."""

    error_messages = {
        "invalid_login": "The user name or the password is not right. Both care about capital letters.",
        "inactive": "The user name or the password is not right. Both care about capital letters.",
    }
    # Set when the limit was passed.
    too_many: TooMany | None = None

    def clean_password(self) -> str:
        """Refuse what would only cost hashing time."""
        password: str = self.cleaned_data["password"]
        if len(password) > LONGEST_PASSWORD:
            raise forms.ValidationError(f"A password has at most {LONGEST_PASSWORD} characters.")
        return password

    def clean(self) -> dict[str, Any]:
        """Check the limits, then the password."""
        name, address = self.cleaned_data.get("username"), address_of(self.request)
        if not name or not self.cleaned_data.get("password"):
            return self.cleaned_data
        try:
            throttle.count_attempt(account=name, address=address)
        except TooMany as error:
            self.too_many = error
            raise forms.ValidationError(str(error)) from error
        cleaned = super().clean()
        throttle.forgive(account=name, address=address)
        return cleaned


def address_of(request: Any) -> str:
    """Return the address that the request came from, as the server sees it: a forwarded header can be made up."""
    return "" if request is None else str(request.META.get("REMOTE_ADDR", ""))
