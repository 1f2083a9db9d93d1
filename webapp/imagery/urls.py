"""Routes of the room `imagery`: pages and API."""

from django.urls import URLPattern, URLResolver, path, re_path

from webapp.imagery import api, api_folders, api_mosaics, api_pictures, api_remote, pages

_LAYER = r"^api/imagery/(?P<pk>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})"
_SIZE = r"(?:/(?P<size>[0-9]{1,5}x[0-9]{1,5}))?"
_FORM = r"\.(?P<form>[a-z]{3,5})$"
# The digits of a box hold dots: its format is what follows the last one.
_BOX = r"/bbox/(?P<bounds>[-+0-9.eE,]{7,160})"

urlpatterns: list[URLPattern | URLResolver] = [
    path("imagery/upload", pages.upload, name="imagery-upload"),
    path("imagery/<uuid:pk>/", pages.layer, name="imagery"),
    path("api/imagery/", api.imagery, name="api-imagery-list"),
    path("api/imagery/folders", api_folders.folder_list, name="api-imagery-folders"),
    path("api/imagery/remote", api_remote.remote_list, name="api-imagery-remote"),
    path("api/imagery/remote/look", api_remote.look, name="api-imagery-remote-look"),
    path("api/imagery/<uuid:pk>/", api.layer, name="api-imagery"),
    path("api/imagery/<uuid:pk>/source", api_remote.source, name="api-imagery-source"),
    path("api/imagery/<uuid:pk>/deletion", api.deletion, name="api-imagery-deletion"),
    path("api/imagery/<uuid:pk>/tilejson.json", api.tilejson, name="api-imagery-tilejson"),
    path("api/imagery/<uuid:pk>/point", api.point, name="api-imagery-point"),
    path("api/imagery/<uuid:pk>/statistics", api_pictures.statistics, name="api-imagery-statistics"),
    path("api/imagery/<uuid:pk>/stretch", api_pictures.stretch, name="api-imagery-stretch"),
    path("api/imagery/<uuid:pk>/look", api_pictures.look, name="api-imagery-look"),
    path("api/imagery/<uuid:pk>/preview", api_pictures.preview, name="api-imagery-preview"),
    re_path(_LAYER + r"/preview" + _SIZE + _FORM, api_pictures.preview, name="api-imagery-preview-as"),
    re_path(_LAYER + _BOX + _SIZE + _FORM, api_pictures.box, name="api-imagery-bbox"),
    path("api/imagery/<uuid:pk>/renderings", api_pictures.rendering_list, name="api-imagery-renderings"),
    path(
        "api/imagery/<uuid:pk>/renderings/<slug:rendering_name>",
        api_pictures.rendering,
        name="api-imagery-rendering",
    ),
    path("mosaics/new", pages.new_mosaic, name="mosaic-new"),
    path("api/mosaics/", api_mosaics.mosaic_list, name="api-mosaics"),
    path("api/imagery/<uuid:pk>/mosaic", api_mosaics.mosaic, name="api-imagery-mosaic"),
    path("api/imagery/<uuid:pk>/mosaic.json", api_mosaics.as_mosaicjson, name="api-imagery-mosaicjson"),
    path("api/uploads/", api.upload_list, name="api-uploads"),
    path("api/uploads/<uuid:pk>/", api.upload, name="api-upload"),
    path("api/uploads/<uuid:pk>/complete", api.upload_complete, name="api-upload-complete"),
]
