"""The page behind an invitation's link: join, sign in first, or make an account."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.forms import UserCreationForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from webapp.api import headers_of, status_of
from webapp.errors import NotFound, QuadratError, TooMany
from webapp.projects import invitations, throttle
from webapp.projects.forms import address_of
from webapp.projects.models import Invitation, User
from webapp.projects.services import LONGEST_PASSWORD


class SignUpForm(UserCreationForm):  # type: ignore[type-arg]  # generic in the stubs only
    """User name and password of a new account, checked by Django's validators."""

    class Meta:
        model = User
        fields = ("username",)

    def clean_password1(self) -> str:
        """Refuse what would only cost hashing time."""
        password: str = self.cleaned_data["password1"]
        if len(password) > LONGEST_PASSWORD:
            raise forms.ValidationError(f"A password has at most {LONGEST_PASSWORD} characters.")
        return password


@never_cache
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Show an invitation (GET), or take it up (POST): as who is signed in, or with a new account."""
    try:
        invitation = _find(request, token)
        if request.method != "POST":
            return _page(request, token, invitation, SignUpForm())
        if isinstance(request.user, User):
            project = invitations.join(raw=token, user=request.user)
            return redirect("project", project.pk)
        return _sign_up(request, token, invitation)
    except QuadratError as error:
        return _refusal(request, error)


def _find(request: HttpRequest, token: str) -> Invitation:
    """Return the invitation; guesses are counted by address."""
    try:
        return invitations.find(token)
    except NotFound:
        throttle.count_guess(address=address_of(request))
        raise


def _sign_up(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    form = SignUpForm(request.POST)
    if not settings.INVITED_SIGN_UP:
        return redirect("join", token)
    # Counted before a password is hashed.
    throttle.count_guess(address=address_of(request))
    if not form.is_valid():
        return _page(request, token, invitation, form)
    with transaction.atomic():
        user: User = form.save()
        project = invitations.join(raw=token, user=user)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("project", project.pk)


def _page(request: HttpRequest, token: str, invitation: Invitation, form: SignUpForm) -> HttpResponse:
    inviter = invitation.created_by
    context: dict[str, Any] = {
        "invitation": invitation,
        "inviter": inviter.get_full_name() or inviter.username,
        "token": token,
        "form": form,
        "may_sign_up": settings.INVITED_SIGN_UP,
        "known": invitations.role_of_member(invitation.project, request.user),
    }
    return render(request, "projects/join.html", context)


def _refusal(request: HttpRequest, error: QuadratError) -> HttpResponse:
    if isinstance(error, NotFound):
        error = NotFound("invitation")
        error.message, error.fix = "This link leads to no invitation.", "Copy the whole link, or ask for a new one."
    response = render(request, "projects/join_refused.html", {"error": error}, status=status_of(error))
    if isinstance(error, TooMany):
        for name, value in headers_of(error).items():
            response[name] = value
    return response
