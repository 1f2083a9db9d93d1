"""Users, projects and tokens in Django's admin. What gives rights, only superusers touch; history nobody."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from webapp.projects import invitations, services
from webapp.projects.models import ApiToken, AuditEntry, Invitation, Member, Project, SignInAttempts, User


class SuperusersOnly:
    """For models that give rights: staff who may edit them could make themselves anything."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Return True for superusers."""
        return bool(getattr(request.user, "is_superuser", False))

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return True for superusers."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return True for superusers."""
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return True for superusers."""
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return True for superusers."""
        return self.has_module_permission(request)


class ReadOnly:
    """For rows that tell what happened: they are looked at, never written."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False."""
        return False


class DeletedByService:
    """For models whose rows own files or other rows: deleting one here does what its page does."""

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Delete one object by its room's service."""
        raise NotImplementedError

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete one; a refusal becomes a page that says why, and nothing is deleted."""
        self.remove(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Delete all that were chosen, or none."""
        with transaction.atomic():
            for obj in queryset:
                self.remove(request, obj)


class NotDeleted:
    """For models that are deleted on their own pages only."""

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False."""
        return False


@admin.register(User)
class OwnUserAdmin(SuperusersOnly, UserAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Accounts."""


admin.site.unregister(Group)


@admin.register(Group)
class OwnGroupAdmin(SuperusersOnly, GroupAdmin):
    """Groups of administrators."""


class MemberInline(SuperusersOnly, admin.TabularInline):  # type: ignore[type-arg]
    """Members of a project."""

    model = Member
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Project)
class ProjectAdmin(NotDeleted, SuperusersOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Projects with their members. A project is deleted on its page, where its name is typed to confirm."""

    list_display = ("name", "created_at", "updated_at")
    search_fields = ("name",)
    inlines = (MemberInline,)


@admin.register(Member)
class MemberAdmin(SuperusersOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Memberships over all projects."""

    list_display = ("project", "user", "role", "created_at")
    list_filter = ("role",)
    search_fields = ("project__name", "user__username")
    autocomplete_fields = ("project", "user")


@admin.register(ApiToken)
class ApiTokenAdmin(SuperusersOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """API tokens: looked at and revoked here, made by their users only."""

    list_display = ("name", "hint", "user", "project", "scopes", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("revoked_at",)
    search_fields = ("name", "user__username")
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False: a token is shown once, to its user."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False: revoked tokens tell who could do what."""
        return False

    @admin.action(description="Revoke the chosen tokens", permissions=("view",))
    def revoke(self, request: HttpRequest, queryset: "QuerySet[ApiToken]") -> None:
        """End tokens now."""
        user = request.user
        assert isinstance(user, User)
        for token in queryset:
            services.revoke_token(token=token, user=user)


@admin.register(Invitation)
class InvitationAdmin(SuperusersOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Invitations by link: looked at and revoked here, made on the projects' pages, which show the link."""

    list_display = ("project", "role", "uses", "max_uses", "created_by", "expires_at", "revoked_at")
    search_fields = ("project__name", "created_by__username")
    list_select_related = ("project", "created_by")
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False: the link is shown once, to who makes it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False."""
        return False

    @admin.action(description="Revoke the chosen invitations", permissions=("view",))
    def revoke(self, request: HttpRequest, queryset: "QuerySet[Invitation]") -> None:
        """End invitations now."""
        user = request.user
        assert isinstance(user, User)
        for invitation in queryset:
            invitations.revoke(invitation=invitation, user=user)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Acts of administration."""

    list_display = ("at", "actor", "action", "target", "project")
    list_filter = ("action",)
    search_fields = ("target", "actor__username", "project__name")
    list_select_related = ("actor", "project")


@admin.register(SignInAttempts)
class SignInAttemptsAdmin(SuperusersOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Counted attempts to sign in; deleting a row lets its account or address try again at once."""

    list_display = ("key", "count", "doublings", "started_at")
    search_fields = ("key",)

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False."""
        return False
