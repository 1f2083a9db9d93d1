// django-leaflet shows what a form holds no closer than zoom 15 (4.8 m a pixel): a sample of a few metres is a dot there.
L.CloseGeometryField = L.GeometryField.extend({
  _setView: function () {
    if (this.drawnItems.getLayers().length) {
      this._map.fitBounds(this.drawnItems.getBounds(), { maxZoom: 21, padding: [24, 24], animate: false });
    }
  },
});
