"""Routes of the room `projects`: pages and API."""

from django.urls import URLPattern, URLResolver, path
from drf_spectacular.views import SpectacularJSONAPIView

from webapp.projects import api, joining, pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("projects/<uuid:pk>/", pages.project, name="project"),
    path("profile/", pages.profile, name="profile"),
    path("api/projects/", api.projects, name="api-projects"),
    path("api/projects/<uuid:pk>/", api.project, name="api-project"),
    path("api/projects/<uuid:pk>/members/", api.members, name="api-project-members"),
    path("api/projects/<uuid:pk>/members/<int:member_pk>/", api.member, name="api-project-member"),
    path("join/<str:token>/", joining.join, name="join"),
    path("api/projects/<uuid:pk>/invitations/", api.invitation_list, name="api-project-invitations"),
    path("api/projects/<uuid:pk>/invitations/<uuid:invitation_pk>/", api.invitation, name="api-project-invitation"),
    path("api/projects/<uuid:pk>/audit/", api.audit, name="api-project-audit"),
    path("api/tokens/", api.tokens, name="api-tokens"),
    path("api/tokens/<uuid:pk>/", api.token, name="api-token"),
    path("api/me/", api.me, name="api-me"),
    path("api/me/password/", api.password, name="api-me-password"),
    path("api/schema/", SpectacularJSONAPIView.as_view(), name="api-schema"),
    path("api/docs/", pages.api_docs, name="api-docs"),
]
