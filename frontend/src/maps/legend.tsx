// The legend of one layer: its classes with colours and counts, or the facts of a scene.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../ui/api";
import { Icon } from "../ui/components";
import { area, number, percent } from "../ui/format";
import { sourceOf } from "./types";
import type { ImageryRow, LayerClass, LayerRow } from "./types";
import { ClassName } from "./popup";

interface Counted extends Omit<LayerClass, "value"> {
  value: number | null;
  count?: number;
  area_m2?: number;
  /** Of all pixels with data, 0 to 1; of rasters. */
  share?: number;
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
    <div class="note warn position-note small-text">
      <Icon name="warn" />
      <details>
        <summary>Position on Earth is assumed</summary>
        {row.imagery.position_note || "It was given by hand."}
      </details>
    </div>
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

function RasterClasses({ row, classes }: { row: ImageryRow; classes: readonly Counted[] }): JSX.Element {
  return (
    <div class="legend-facts">
      <ul class="legend" aria-label="Classes">
        {classes.map((item) => (
          <li key={item.value}>
            <ClassName item={item} />
            {item.share !== undefined && (
              <span class="muted numeric small-text" title={`${number(item.count)} pixels`}>
                {area(item.area_m2)} · {percent(item.share)}
              </span>
            )}
          </li>
        ))}
      </ul>
      <PositionNote row={row} />
    </div>
  );
}

/** What decides whether the counts are to be asked for anew; null where there are none. */
function countedAt(row: LayerRow): string | null {
  if (row.kind === "features") return `features ${row.features.count}`;
  return row.kind === "class_raster" && row.imagery.state === "ready" ? `pixels ${row.imagery.version}` : null;
}

/** The classes of a layer; those of a feature layer can be switched off one by one. */
export function Legend({ map, row, hidden, onHide }: LegendProps): JSX.Element {
  const [counted, setCounted] = useState<Counted[]>([]);
  const moment = countedAt(row);
  useEffect(() => {
    if (moment === null) return undefined;
    const stop = new AbortController();
    get<{ classes: Counted[] }>(`/api/maps/${map}/layers/${row.id}/legend`, { signal: stop.signal })
      .then((answer) => setCounted(answer.classes))
      .catch(() => setCounted([]));
    return () => stop.abort();
  }, [map, row.id, moment]);

  if (row.kind === "imagery") return <SceneFacts row={row} />;
  const rows: Counted[] = counted.length > 0 ? counted : sourceOf(row).classes;
  if (row.kind === "class_raster") return <RasterClasses row={row} classes={rows} />;
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
