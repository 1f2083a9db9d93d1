// Lengths and areas on the map, on the ellipsoid.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button, Tabs } from "../ui/components";
import { area, metres } from "../ui/format";
import { areaOf, lengthOf } from "../ui/geodesic";
import type { LonLat } from "../ui/geodesic";
import { Sketch } from "../ui/sketch";
import { Card } from "./card";
import type { Stage } from "./stage";

/** The card; it draws for as long as it is open. */
export function MeasureCard({ stage, onClose }: { stage: Stage; onClose: () => void }): JSX.Element {
  const [kind, setKind] = useState<"line" | "polygon">("line");
  const [points, setPoints] = useState<readonly LonLat[]>([]);
  const [pointer, setPointer] = useState<LonLat | null>(null);
  const [round, setRound] = useState(0);
  const sketchRef = useRef<Sketch | null>(null);
  useEffect(() => {
    const sketch = new Sketch(stage.map, kind, {
      onChange: (next, at) => {
        setPoints(next);
        setPointer(at);
      },
      onDone: () => setPointer(null),
    });
    sketchRef.current = sketch;
    return () => {
      sketch.stop();
      sketchRef.current = null;
      setPoints([]);
      setPointer(null);
    };
  }, [stage, kind, round]);
  const path = pointer ? [...points, pointer] : points;
  const closed = kind === "polygon" && path.length > 2 && path[0] ? [...path, path[0]] : path;
  return (
    <Card title="Measure" onClose={onClose}>
      <Tabs
        label="What to measure"
        tabs={[
          { id: "line", label: "Distance" },
          { id: "polygon", label: "Area" },
        ]}
        selected={kind}
        onSelect={(id) => setKind(id === "polygon" ? "polygon" : "line")}
      />
      <output class="measured numeric" aria-live="polite">
        {path.length < 2 ? (
          <span class="muted">Click on the map. A double click ends the {kind === "line" ? "line" : "area"}.</span>
        ) : (
          <>
            {kind === "polygon" && <strong>{area(areaOf(path))}</strong>}
            <strong class={kind === "polygon" ? "lesser" : ""}>
              {kind === "polygon" ? "Outline " : ""}
              {metres(lengthOf(closed))}
            </strong>
          </>
        )}
      </output>
      <div class="row wrap">
        <Button
          small
          title="For drawing by keyboard: move the map with the arrow keys"
          onClick={() => {
            const { lng, lat } = stage.map.getCenter();
            sketchRef.current?.add([lng, lat]);
          }}
        >
          Add the map's centre
        </Button>
        <Button small disabled={points.length === 0} onClick={() => sketchRef.current?.back()}>
          Last point back
        </Button>
        <Button small disabled={points.length === 0} onClick={() => setRound(round + 1)}>
          Start again
        </Button>
      </div>
    </Card>
  );
}
