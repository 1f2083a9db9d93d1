"""The one exception to "pictures come from this site": basemaps, and only on pages that show a map."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin


class BasemapSources(MiddlewareMixin):
    """Adds the hosts that `webapp.maps.basemaps.allow` named to the page's `img-src`; stands inside CSPMiddleware."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Return the response with its policy."""
        named = getattr(request, "basemap_origins", None)
        if named:
            setattr(response, "_csp_update", {"img-src": named})
        return response
