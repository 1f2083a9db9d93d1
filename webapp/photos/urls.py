"""Routes of the room `photos`: pages and API."""

from django.urls import URLPattern, URLResolver, path

from webapp.photos import api, pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("photos/new", pages.new, name="photos-new"),
    path("photos/<uuid:pk>/", pages.photo_set, name="photos"),
    path("api/photo-sets/", api.sets, name="api-photo-sets"),
    path("api/photo-sets/<uuid:pk>/", api.photo_set, name="api-photo-set"),
    path("api/photo-sets/<uuid:pk>/files", api.files, name="api-photo-files"),
    path("api/photo-sets/<uuid:pk>/read", api.read, name="api-photo-read"),
    path("api/photos/<uuid:pk>/", api.photo, name="api-photo"),
    path("api/photos/<uuid:pk>/picture.jpg", api.picture, name="api-photo-picture"),
    path("api/photos/<uuid:pk>/thumbnail.jpg", api.thumbnail, name="api-photo-thumbnail"),
]
