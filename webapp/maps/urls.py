"""Routes of the room `maps`: pages and API."""

from django.urls import URLPattern, URLResolver, path

from webapp.maps import api, api_extras, api_layout, api_photos, pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("maps/", pages.public_maps, name="public-maps"),
    path("maps/<uuid:pk>/", pages.map_page, name="map"),
    path("maps/<uuid:pk>/embed", pages.map_embed, name="map-embed"),
    path("api/maps/", api.maps, name="api-maps"),
    path("api/maps/<uuid:pk>/", api.map_detail, name="api-map"),
    path("api/maps/<uuid:pk>/share", api.map_share, name="api-map-share"),
    path("api/maps/<uuid:pk>/order", api.map_order, name="api-map-order"),
    path("api/maps/<uuid:pk>/layout", api_layout.map_layout, name="api-map-layout"),
    path("api/maps/<uuid:pk>/basemaps", api_layout.map_basemaps, name="api-map-basemaps"),
    path("api/maps/<uuid:pk>/candidates", api.map_candidates, name="api-map-candidates"),
    path("api/maps/<uuid:pk>/layers", api.map_layers, name="api-map-layers"),
    path("api/maps/<uuid:pk>/layers/<int:layer>", api.map_layer, name="api-map-layer"),
    path("api/maps/<uuid:pk>/layers/<int:layer>/legend", api.map_legend, name="api-map-legend"),
    path("api/maps/<uuid:pk>/layers/<int:layer>/column", api_layout.map_column, name="api-map-column"),
    path(
        "api/maps/<uuid:pk>/layers/<int:layer>/column/summary",
        api_layout.map_column_summary,
        name="api-map-column-summary",
    ),
    path("api/maps/<uuid:pk>/notes/<str:note>", api_extras.map_note, name="api-map-note"),
    path("api/maps/<uuid:pk>/bookmarks", api_extras.map_bookmarks, name="api-map-bookmarks"),
    path("api/maps/<uuid:pk>/layers/<int:layer>/photos/<uuid:photo>/", api_photos.map_photo, name="api-map-photo"),
    path(
        "api/maps/<uuid:pk>/layers/<int:layer>/photos/<uuid:photo>/picture.jpg",
        api_photos.map_photo_picture,
        name="api-map-photo-picture",
    ),
    path(
        "api/maps/<uuid:pk>/layers/<int:layer>/photos/<uuid:photo>/thumbnail.jpg",
        api_photos.map_photo_thumbnail,
        name="api-map-photo-thumbnail",
    ),
    path("api/maps/<uuid:pk>/places", api_layout.map_places, name="api-map-places"),
    path("api/maps/<uuid:pk>/layers/<int:layer>/table", api_layout.map_table, name="api-map-table"),
    path("api/maps/<uuid:pk>/layers/<int:layer>/point", api.map_point, name="api-map-point"),
    path("api/maps/<uuid:pk>/layers/<int:layer>/features/<uuid:feature>", api.map_feature, name="api-map-feature"),
]
