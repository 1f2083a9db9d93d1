// The legend of one layer: exactly what its style draws, with counts; the filter that hides the rest; facts of a scene.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../ui/api";
import { Icon } from "../ui/components";
import { area, number, percent } from "../ui/format";
import { conditionText, fieldName, graduatedRows } from "./legend-text";
import { ImageryLegend, PositionNote } from "./legend-imagery";
import { ClassName } from "./popup";
import { featureStyle, NO_VALUE, SINGLE } from "./style";
import type { Filter } from "./style";
import { Swatch } from "./swatch";
import type { GeometryTypes } from "./swatch";
import { sourceOf, titleOf } from "./types";
import type { FeaturesRow, ImageryRow, LayerClass, LayerRow } from "./types";

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
  filter: Filter;
  types: GeometryTypes;
  onHide: (value: number, hide: boolean) => void;
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

function Classes({ row, classes, filter, types, onHide }: Omit<LegendProps, "map" | "row"> & { row: FeaturesRow; classes: readonly Counted[] }): JSX.Element {
  const style = featureStyle(row);
  const hidden = new Set(filter.hidden);
  const coloured = (style.by ?? "class") === "class";
  return (
    <ul class="legend" aria-label="Classes">
      {classes
        .filter((item) => !item.retired || (item.count ?? 0) > 0)
        .map((item) => (
          <li key={item.value ?? -1}>
            <label class="checkbox">
              <input
                type="checkbox"
                checked={!hidden.has(item.value ?? -1)}
                onChange={(event) => onHide(item.value ?? -1, !event.currentTarget.checked)}
              />
              {coloured && <Swatch style={style} colour={item.value === null ? NO_VALUE : item.colour} types={types} />}
              <span>{item.name}</span>
            </label>
            {item.count !== undefined && <span class="muted numeric small-text">{number(item.count)}</span>}
          </li>
        ))}
    </ul>
  );
}

function FeatureLegend(props: Omit<LegendProps, "map" | "row"> & { row: FeaturesRow; classes: readonly Counted[] }): JSX.Element {
  const { row, classes, filter, types } = props;
  const style = featureStyle(row);
  const conditions = [...(filter.score ? [{ field: "score", range: filter.score }] : []), ...(filter.fields ?? [])];
  return (
    <div class="legend-facts">
      {style.by === "single" && (
        <p class="class-name">
          <Swatch style={style} colour={style.colour ?? SINGLE} types={types} /> {titleOf(row)}
        </p>
      )}
      {style.by === "graduated" && (
        <>
          <p class="muted small-text">{fieldName(style.field ?? "")}</p>
          <ul class="legend" aria-label={fieldName(style.field ?? "")}>
            {graduatedRows(style).map(({ colour, text }) => (
              <li key={text}>
                <span class="class-name">
                  <Swatch style={style} colour={colour} types={types} /> {text}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
      {((style.by ?? "class") === "class" || classes.length > 1) && <Classes {...props} />}
      {conditions.map((condition) => (
        <p key={condition.field} class="muted small-text filter-note">
          <Icon name="search" /> Only {conditionText(condition)}
        </p>
      ))}
    </div>
  );
}

/** The legend of a layer; classes of features can be switched off one by one. */
export function Legend({ map, row, ...rest }: LegendProps): JSX.Element {
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

  if (row.kind === "imagery") return <ImageryLegend row={row} />;
  const rows: Counted[] = counted.length > 0 ? counted : sourceOf(row).classes;
  if (row.kind !== "features") return <RasterClasses row={row} classes={rows} />;
  return <FeatureLegend row={row} classes={rows} {...rest} />;
}
