// Notes drawn on the map: points, lines and areas with a text. They belong to the map, not to a layer.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { asApiError, del, put } from "../ui/api";
import { Button, Icon, IconButton, TextInput, toast } from "../ui/components";
import type { LonLat } from "../ui/geodesic";
import { bent, Sketch } from "../ui/sketch";
import type { SketchKind } from "../ui/sketch";
import { Card } from "./card";
import type { Stage } from "./stage";
import type { MapJson, Note } from "./types";

export const NOTE_COLOURS: Record<string, string> = {
  "#d1495b": "Red",
  "#edae49": "Yellow",
  "#2a6fdb": "Blue",
  "#1b9e77": "Green",
  "#7570b3": "Violet",
  "#222222": "Black",
  "#ffffff": "White",
};

/** The points of a note; an area's first point once. */
export function pointsOf(note: Note): readonly LonLat[] {
  const { geometry } = note;
  if (geometry.type === "Point") return [geometry.coordinates];
  return geometry.type === "LineString" ? geometry.coordinates : (geometry.coordinates[0] ?? []).slice(0, -1);
}

function geometryOf(kind: SketchKind, points: readonly LonLat[]): Note["geometry"] {
  const first = points[0] ?? [0, 0];
  if (kind === "point") return { type: "Point", coordinates: first };
  return kind === "line" ? { type: "LineString", coordinates: [...points] } : { type: "Polygon", coordinates: [[...points, first]] };
}

/** Draw the notes on a map; returns what removes them. */
export function drawNotes(map: L.Map, notes: readonly Note[]): () => void {
  const group = L.layerGroup().addTo(map);
  for (const note of notes) {
    const points = pointsOf(note);
    const look = { color: note.colour, weight: 3, fillOpacity: 0.15, interactive: false };
    const [lon, lat] = points[0] ?? [0, 0];
    const shape =
      note.geometry.type === "Point"
        ? L.circleMarker([lat, lon], { radius: 6, color: "#ffffff", weight: 2, fillColor: note.colour, fillOpacity: 1, interactive: false })
        : note.geometry.type === "LineString"
          ? L.polyline(bent(points, false), look)
          : L.polygon(bent(points, true), look);
    group.addLayer(shape);
    // As a text node: a note is never read as HTML.
    const label = document.createElement("span");
    label.textContent = note.text;
    if (note.text) shape.bindTooltip(label, { permanent: true, direction: note.geometry.type === "Polygon" ? "center" : "right", className: "note-label", offset: note.geometry.type === "Point" ? [8, 0] : [0, 0] });
  }
  return () => group.remove();
}

/** Keep the notes on the map. */
export function useNotes(stage: Stage | null, notes: readonly Note[]): void {
  useEffect(() => (stage ? drawNotes(stage.map, notes) : undefined), [stage, notes]);
}

const KINDS: Record<SketchKind, string> = { point: "Point", line: "Line", polygon: "Area" };

interface NotesProps {
  map: MapJson;
  stage: Stage;
  onSaved: (map: MapJson) => void;
  onClose: () => void;
}

/** The card with which notes are drawn, worded and deleted. */
export function NotesCard({ map, stage, onSaved, onClose }: NotesProps): JSX.Element {
  const [kind, setKind] = useState<SketchKind | null>(null);
  const [drawn, setDrawn] = useState<readonly LonLat[]>([]);
  const [done, setDone] = useState(false);
  const [sketch, setSketch] = useState<Sketch | null>(null);
  const [text, setText] = useState("");
  const [colour, setColour] = useState("#d1495b");
  useEffect(() => {
    if (kind === null) return undefined;
    const made = new Sketch(stage.map, kind, { onChange: setDrawn, onDone: () => setDone(true) }, colour);
    setSketch(made);
    return () => {
      made.stop();
      setSketch(null);
      setDrawn([]);
      setDone(false);
    };
  }, [stage, kind, colour]);
  const write = async (note: Note, action: "save" | "remove"): Promise<void> => {
    const url = `/api/maps/${map.id}/notes/${note.id}`;
    try {
      onSaved(action === "save" ? await put<MapJson>(url, { geometry: note.geometry, text: note.text, colour: note.colour }) : await del<MapJson>(url));
      if (action === "remove") return;
      setKind(null);
      setText("");
    } catch (error) {
      toast(`${asApiError(error).message} ${asApiError(error).fix}`, "bad");
    }
  };
  const zoom = (note: Note): void => {
    const points = pointsOf(note);
    if (note.geometry.type === "Point" && points[0]) stage.map.panTo([points[0][1], points[0][0]]);
    else stage.map.fitBounds(L.latLngBounds(points.map(([lon, lat]) => [lat, lon])), { maxZoom: 20 });
  };
  return (
    <Card title="Notes" onClose={onClose}>
      {map.can_edit && (
        <>
          <div class="row wrap" role="group" aria-label="Draw">
            {(Object.keys(KINDS) as SketchKind[]).map((value) => (
              <Button key={value} small kind={kind === value ? "primary" : "normal"} onClick={() => setKind(kind === value ? null : value)}>
                {KINDS[value]}
              </Button>
            ))}
          </div>
          {kind !== null && (
            <form
              class="note-form"
              onSubmit={(event) => {
                event.preventDefault();
                if (done) void write({ id: crypto.randomUUID(), geometry: geometryOf(kind, drawn), text: text.trim(), colour }, "save");
              }}
            >
              <fieldset class="note-colours" disabled={drawn.length > 0}>
                <legend class="visually-hidden">Colour</legend>
                {Object.entries(NOTE_COLOURS).map(([value, name]) => (
                  <label key={value} title={name}>
                    <input type="radio" name="note-colour" checked={colour === value} onChange={() => setColour(value)} aria-label={name} style={{ background: value }} />
                  </label>
                ))}
              </fieldset>
              <TextInput label="Text" value={text} onChange={setText} maxLength={500} />
              <p class="muted small-text" role="status">
                {done ? "Drawn. Save it, or draw on with “Last point back”." : kind === "point" ? "Click where it belongs." : "Click along it; a double click ends it."}
              </p>
              <div class="row wrap">
                <Button
                  small
                  title="For drawing by keyboard: move the map with the arrow keys"
                  onClick={() => {
                    const { lng, lat } = stage.map.getCenter();
                    sketch?.add([lng, lat]);
                  }}
                >
                  Add the map's centre
                </Button>
                {kind !== "point" && !done && (
                  <Button small disabled={drawn.length < (kind === "line" ? 2 : 3)} onClick={() => sketch?.finish()}>
                    End here
                  </Button>
                )}
                <Button
                  small
                  disabled={drawn.length === 0}
                  onClick={() => {
                    sketch?.back();
                    setDone(false);
                  }}
                >
                  Last point back
                </Button>
                <Button small kind="primary" type="submit" disabled={!done}>
                  Save note
                </Button>
              </div>
            </form>
          )}
        </>
      )}
      {map.notes.length === 0 && kind === null && <p class="muted small-text">No notes on this map{map.can_edit ? ": draw a point, a line or an area" : ""}.</p>}
      <ul class="finds" aria-label="Notes">
        {map.notes.map((note) => (
          <li key={note.id}>
            <button type="button" class="find" onClick={() => zoom(note)}>
              <span class="swatch" style={{ background: note.colour }} aria-hidden="true" />
              <span class="truncate">{note.text || note.geometry.type.replace("LineString", "Line").replace("Polygon", "Area")}</span>
            </button>
            {map.can_edit && <IconButton label={`Delete note ${note.text}`} icon="trash" small onClick={() => void write(note, "remove")} />}
          </li>
        ))}
      </ul>
      {map.can_edit && map.notes.length > 0 && (
        <p class="muted small-text">
          <Icon name="info" /> Everybody who may open this map sees its notes.
        </p>
      )}
    </Card>
  );
}
