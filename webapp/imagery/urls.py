"""Routes of the room `imagery`: pages and API."""

from django.urls import URLPattern, URLResolver, path

from webapp.imagery import api, pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("imagery/upload", pages.upload, name="imagery-upload"),
    path("imagery/<uuid:pk>/", pages.layer, name="imagery"),
    path("api/imagery/", api.imagery, name="api-imagery-list"),
    path("api/imagery/<uuid:pk>/", api.layer, name="api-imagery"),
    path("api/imagery/<uuid:pk>/tilejson.json", api.tilejson, name="api-imagery-tilejson"),
    path("api/imagery/<uuid:pk>/point", api.point, name="api-imagery-point"),
    path("api/uploads/", api.upload_list, name="api-uploads"),
    path("api/uploads/<uuid:pk>/", api.upload, name="api-upload"),
    path("api/uploads/<uuid:pk>/complete", api.upload_complete, name="api-upload-complete"),
]
