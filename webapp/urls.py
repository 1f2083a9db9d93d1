"""The URL map. Every name here has a rule in `webapp/projects/routes.py`."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from webapp import content, pages
from webapp.projects.pages import SignIn, admin_sign_in

# Here and not in every process of the site: workers and the processes of their jobs start a third sooner.
admin.autodiscover()

urlpatterns = [
    path("", content.home, name="home"),
    path("login/", SignIn.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("api/content/", content.content, name="api-content"),
    path("healthz", pages.healthz, name="healthz"),
    path("readyz", pages.readyz, name="readyz"),
    path("admin/login/", admin_sign_in),
    path("admin/", admin.site.urls),
    path("", include("webapp.projects.urls")),
    path("", include("webapp.jobs.urls")),
    path("", include("webapp.imagery.urls")),
    path("", include("webapp.features.urls")),
    path("", include("webapp.photos.urls")),
    path("", include("webapp.maps.urls")),
    path("", include("webapp.ogc.urls")),
    path("", include("labeling.urls")),
    path("", include("training.urls")),
    path("", include("inference.urls")),
    path("", include("webapp.demo.urls")),
    path("", include("webapp.housekeeping.urls")),
]

handler403 = "webapp.pages.denied"
handler404 = "webapp.pages.not_found"
handler500 = "webapp.pages.server_error"
