"""What bodies of the project API may hold. Unknown fields are refused, so nothing is assigned by accident."""

from typing import Any

from rest_framework import serializers

from webapp.errors import Invalid
from webapp.projects.invitations import DEFAULT_DAYS, MOST_DAYS
from webapp.projects.models import Role
from webapp.projects.services import LONGEST_PASSWORD, SCOPES

ROLE_NAMES = [role.label for role in Role]


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses fields it does not know."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the parsed fields."""
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            raise Invalid(
                f"Unknown field {', '.join(map(repr, unknown))}.",
                fix=f"Send only {', '.join(self.fields)}.",
                code="unknown_field",
                details={"fields": unknown},
            )
        return super().to_internal_value(data)


class ProjectBody(StrictSerializer):
    """A new project."""

    name = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=5000, allow_blank=True, default="")


class ProjectChange(StrictSerializer):
    """Changes of a project."""

    name = serializers.CharField(max_length=200, required=False)
    description = serializers.CharField(max_length=5000, allow_blank=True, required=False)


class MemberBody(StrictSerializer):
    """A new member."""

    username = serializers.CharField(max_length=150)
    role = serializers.ChoiceField(choices=ROLE_NAMES)


class RoleBody(StrictSerializer):
    """Another role of a member."""

    role = serializers.ChoiceField(choices=ROLE_NAMES)


class InvitationBody(StrictSerializer):
    """A new invitation by link."""

    role = serializers.ChoiceField(choices=ROLE_NAMES)
    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, default=DEFAULT_DAYS)
    max_uses = serializers.IntegerField(min_value=1, max_value=10_000, allow_null=True, default=1)


class TokenBody(StrictSerializer):
    """A new API token."""

    name = serializers.CharField(max_length=200)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES), min_length=1, max_length=4)
    expires_at = serializers.DateTimeField(allow_null=True, default=None)
    project = serializers.UUIDField(allow_null=True, default=None)


class MeChange(StrictSerializer):
    """Changes of one's own account."""

    first_name = serializers.CharField(max_length=150, allow_blank=True, required=False)
    last_name = serializers.CharField(max_length=150, allow_blank=True, required=False)
    email = serializers.EmailField(max_length=254, allow_blank=True, required=False)


class PasswordBody(StrictSerializer):
    """The old password and a new one."""

    old = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)
    new = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)


def parse(kind: type[StrictSerializer], data: Any) -> dict[str, Any]:
    """Return the fields of a body.

    Raises:
        Invalid: fields are missing, wrong or unknown.
    """
    body = kind(data=data)
    body.is_valid(raise_exception=True)
    parsed: dict[str, Any] = body.validated_data
    return parsed
