// What a click on the map shows: features with class, score, area and attributes; the class or band values of a pixel.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../ui/api";
import { Icon, Spinner } from "../ui/components";
import { area, number, percent } from "../ui/format";
import { PhotoCard } from "./photo-card";
import type { Found } from "./stage";
import { titleOf } from "./types";
import type { ImageryRow, LayerClass, PointJson } from "./types";

const MOST_SHOWN = 5;

interface FeatureJson {
  properties: Record<string, unknown>;
  meta: { class_value: number | null; score: number | null; area_m2: number | null; source: string; verified: boolean };
}

/** A class with its colour. */
export function ClassName({ item }: { item: Pick<LayerClass, "name" | "colour"> }): JSX.Element {
  return (
    <span class="class-name">
      <span class="swatch" style={{ background: item.colour }} aria-hidden="true" /> {item.name}
    </span>
  );
}

const SOURCES: Record<string, string> = { human: "drawn by a person", model: "found by a model", import: "imported" };

function text(value: unknown): string {
  if (typeof value === "number") return number(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function FeatureCard({ map, found }: { map: string; found: Extract<Found, { kind: "feature" }> }): JSX.Element {
  const { row, hit } = found;
  const id = hit.properties["id"];
  const [feature, setFeature] = useState<FeatureJson | "loading" | null>(typeof id === "string" ? "loading" : null);
  useEffect(() => {
    if (typeof id !== "string") return undefined;
    const stop = new AbortController();
    get<FeatureJson>(`/api/maps/${map}/layers/${row.id}/features/${id}`, { signal: stop.signal })
      .then(setFeature)
      .catch(() => setFeature(null));
    return () => stop.abort();
  }, [map, row.id, id]);
  const known = feature === "loading" ? null : feature;
  const value = known ? known.meta.class_value : hit.classValue;
  const named = row.features.classes.find((item) => item.value === value);
  const tileScore = hit.properties["score"];
  const score = known?.meta.score ?? (typeof tileScore === "number" ? tileScore : null);
  // A cell of a tile that holds too many features to show each (no id): its class is that of most of them.
  const count = hit.properties["count"];
  const attributes = Object.entries(known?.properties ?? {}).filter(([, item]) => item !== null && item !== "");
  return (
    <section>
      <h3>{named ? <ClassName item={named} /> : "No class"}</h3>
      <p class="muted small-text">{titleOf(row)}</p>
      {typeof count === "number" && (
        <p class="small-text">
          {count === 1 ? "1 feature" : `${number(count)} features`} in this square. Zoom in to see each.
        </p>
      )}
      <dl class="facts small-text">
        {score !== null && (
          <>
            <dt>{typeof count === "number" ? "Mean score" : "Score"}</dt>
            <dd class="numeric">{percent(score)}</dd>
          </>
        )}
        {known?.meta.area_m2 ? (
          <>
            <dt>Area</dt>
            <dd class="numeric">{area(known.meta.area_m2)}</dd>
          </>
        ) : null}
        {known && (
          <>
            <dt>Source</dt>
            <dd>{SOURCES[known.meta.source] ?? known.meta.source}</dd>
          </>
        )}
        {row.origin && (
          <>
            <dt>Made by</dt>
            <dd>
              <a href={row.origin.url}>{row.origin.title}</a>
            </dd>
          </>
        )}
        {attributes.map(([key, item]) => (
          <>
            <dt key={key}>{key}</dt>
            <dd>{text(item)}</dd>
          </>
        ))}
      </dl>
      {feature === "loading" && <Spinner />}
    </section>
  );
}

/** Something found, with what the server says of a raster's pixel. */
export type Known = Extract<Found, { kind: "feature" }> | { kind: "raster"; row: ImageryRow; point: PointJson };

/** Ask the server for the pixels of what was found; rasters without data there are left out. */
export async function known(map: string, found: readonly Found[], at: { lat: number; lng: number }): Promise<Known[]> {
  const answers = await Promise.all(
    found.map(async (item): Promise<Known | null> => {
      if (item.kind === "feature") return item;
      const url = `/api/maps/${map}/layers/${item.row.id}/point?lon=${at.lng}&lat=${at.lat}`;
      const point = await get<PointJson>(url).catch(() => null);
      return point?.values.some((value) => value !== null) ? { kind: "raster", row: item.row, point } : null;
    }),
  );
  return answers.filter((item) => item !== null);
}

function RasterCard({ row, point }: { row: ImageryRow; point: PointJson }): JSX.Element {
  if (row.kind === "class_raster") {
    return (
      <section>
        <h3>{point.class ? <ClassName item={point.class} /> : "No class"}</h3>
        <p class="muted small-text">{titleOf(row)}</p>
      </section>
    );
  }
  return (
    <section>
      <p class="muted small-text">{titleOf(row)}</p>
      <dl class="facts small-text">
        {point.values.map((value, index) => (
          <>
            <dt key={`${index}-name`}>{point.band_names[index]}</dt>
            <dd key={index} class="numeric">
              {number(value)}
            </dd>
          </>
        ))}
        {point.scenes && point.scenes.length > 0 && (
          <>
            <dt>{point.scenes.length === 1 ? "Scene" : "Scenes"}</dt>
            <dd class="break-anywhere">{point.scenes.map((scene) => scene.name).join(", ")}</dd>
          </>
        )}
      </dl>
    </section>
  );
}

/** Everything found at a place. */
export function Popup({ map, found }: { map: string; found: readonly Known[] }): JSX.Element {
  // Band values are of interest where nothing lies above them.
  const above = found.filter((item) => item.row.kind !== "imagery");
  const told = above.length > 0 ? above : found;
  const shown = told.slice(0, MOST_SHOWN);
  const assumed = found.some((item) => item.kind === "raster" && item.row.imagery.position_assumed);
  return (
    <div class="map-popup">
      {shown.map((item, index) =>
        item.kind === "feature" && item.row.features.kind === "photos" && typeof item.hit.properties["id"] === "string" ? (
          <PhotoCard key={index} map={map} row={item.row} id={item.hit.properties["id"]} />
        ) : item.kind === "feature" ? (
          <FeatureCard key={index} map={map} found={item} />
        ) : (
          <RasterCard key={index} row={item.row} point={item.point} />
        ),
      )}
      {told.length > shown.length && <p class="muted small-text">and {told.length - shown.length} more here</p>}
      {assumed && (
        <p class="popup-position small-text">
          <Icon name="warn" /> Position on Earth is assumed
        </p>
      )}
    </div>
  );
}
