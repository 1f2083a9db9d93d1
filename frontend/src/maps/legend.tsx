// The legend of one layer: its classes with colours and counts, or the facts of a scene.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../ui/api";
import { Icon } from "../ui/components";
import { number } from "../ui/format";
import type { ImageryRow, LayerClass, LayerRow } from "./types";
import { ClassName } from "./popup";

interface Counted extends Omit<LayerClass, "value"> {
  value: number | null;
  count?: number;
}

interface LegendProps {
  map: string;
  row: LayerRow;
  hidden: ReadonlySet<number>;
  onHide: (value: number, hide: boolean) => void;
}

/** A note that says where a scene's place on Earth comes from, when it was assumed. */
export function PositionNote({ row }: { row: ImageryRow }): JSX.Element | null {
  if (!row.imagery.position_assumed) return null;
  return (
    <p class="note warn position-note small-text">
      <Icon name="warn" /> <span>Position assumed. {row.imagery.position_note || "Its place on Earth was given by hand."}</span>
    </p>
  );
}

function SceneFacts({ row }: { row: ImageryRow }): JSX.Element {
  const { width, height, gsd_m: gsd, attribution } = row.imagery;
  return (
    <div class="legend-facts">
      <p class="muted small-text">
        {number(width)} × {number(height)} px, {gsd < 1 ? `${number(gsd * 100, 0)} cm` : `${number(gsd, 1)} m`} per pixel
      </p>
      {attribution && <p class="muted small-text">{attribution}</p>}
      <PositionNote row={row} />
    </div>
  );
}

function RasterClasses({ row }: { row: ImageryRow }): JSX.Element {
  return (
    <div class="legend-facts">
      <ul class="legend" aria-label="Classes">
        {row.imagery.classes.map((item) => (
          <li key={item.value}>
            <ClassName item={item} />
          </li>
        ))}
      </ul>
      <PositionNote row={row} />
    </div>
  );
}

/** The classes of a layer; those of a feature layer can be switched off one by one. */
export function Legend({ map, row, hidden, onHide }: LegendProps): JSX.Element {
  const [counted, setCounted] = useState<Counted[]>([]);
  const counts = row.kind === "features" ? row.features.count : undefined;
  useEffect(() => {
    if (counts === undefined) return undefined;
    const stop = new AbortController();
    get<{ classes: Counted[] }>(`/api/maps/${map}/layers/${row.id}/legend`, { signal: stop.signal })
      .then((answer) => setCounted(answer.classes))
      .catch(() => setCounted([]));
    return () => stop.abort();
  }, [map, row.id, counts]);

  if (row.kind !== "features") return row.kind === "imagery" ? <SceneFacts row={row} /> : <RasterClasses row={row} />;
  const rows: Counted[] = counted.length > 0 ? counted : row.features.classes;
  return (
    <ul class="legend" aria-label="Classes">
      {rows
        .filter((item) => !item.retired || (item.count ?? 0) > 0)
        .map((item) => (
          <li key={item.value ?? -1}>
            <label class="checkbox">
              <input
                type="checkbox"
                style={{ accentColor: item.colour }}
                checked={!hidden.has(item.value ?? -1)}
                onChange={(event) => onHide(item.value ?? -1, !event.currentTarget.checked)}
              />
              <span>{item.name}</span>
            </label>
            {item.count !== undefined && <span class="muted numeric small-text">{number(item.count)}</span>}
          </li>
        ))}
    </ul>
  );
}
