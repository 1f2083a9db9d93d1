// One imagery layer: what it looks like, what it is, what to do with it.
import type { JSX } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { JobProgress } from "../jobs/JobProgress";
import type { Job } from "../jobs/types";
import { del, get } from "../ui/api";
import { Badge, Button, Icon, Menu, toast } from "../ui/components";
import { DeleteDialog } from "../ui/delete-dialog";
import { area, bytes, date, number, percent } from "../ui/format";
import { Connect } from "./connect";
import { Histogram } from "./histogram";
import { EditDialog, LabelDialog, MapDialog } from "./layer-dialogs";
import { isBeingMade } from "./mosaic";
import type { Mosaic } from "./mosaic";
import { MosaicCard } from "./mosaic-card";
import { Preview } from "./preview";
import { SourceCard } from "./source-card";
import type { Layer } from "./types";

export interface LayerConfig {
  layer: Layer;
  project: { id: string; name: string };
  may_edit: boolean;
  may_manage: boolean;
  /** Of a mosaic: its rule and scenes. */
  mosaic: Mosaic | null;
}

/** Metres with as many digits as they deserve. */
function metres(value: number): string {
  return value >= 1 ? `${number(value)} m` : `${number(value * 100)} cm`;
}

/** Show one layer. */
export function LayerPage({ config }: { config: LayerConfig }): JSX.Element {
  const [layer, setLayer] = useState(config.layer);
  const [mosaic, setMosaic] = useState(config.mosaic);
  const [lit, setLit] = useState<string | null>(null);
  const [outlined, setOutlined] = useState(true);
  const [dialog, setDialog] = useState<"edit" | "delete" | "label" | "map" | null>(null);
  // Two answers may come in the wrong order.
  const keep = useCallback((fresh: Layer) => setLayer((now) => (fresh.version < now.version ? now : fresh)), []);
  const reload = useCallback(
    (job?: Job): void => {
      if (job && job.state !== "succeeded") return;
      get<Layer>(`/api/imagery/${config.layer.id}/`).then(keep, (error: unknown) => toast(String(error), "bad"));
    },
    [config.layer.id, keep],
  );
  const outlines = useMemo(
    () => mosaic?.scenes.filter((scene) => outlined || scene.id === lit) ?? [],
    [mosaic, outlined, lit],
  );
  const close = (): void => setDialog(null);
  // A mosaic is labelled, predicted and measured like a scene.
  const scene = layer.kind !== "class_raster";
  return (
    <div class="stack imagery-page">
      <div class="page-head">
        <h1>{layer.name}</h1>
        {!scene && <Badge>Class raster</Badge>}
        {mosaic && <Badge>Mosaic</Badge>}
        {isBeingMade(layer, mosaic) && <Badge tone="accent">{mosaic ? "Overview being made" : "Being written"}</Badge>}
        <div class="actions">
          {config.may_edit && scene && (
            <Button kind="primary" onClick={() => setDialog("label")}>
              <Icon name="shapes" /> Label on it
            </Button>
          )}
          {config.may_edit && scene && (
            <Button href={`/inferences/new?imagery=${layer.id}`}>
              <Icon name="model" /> Run a model
            </Button>
          )}
          {config.may_edit && (
            <Button onClick={() => setDialog("map")}>
              <Icon name="map" /> Add to a map
            </Button>
          )}
          {config.may_edit && (
            <Menu
              end
              label="More"
              items={[
                { label: "Edit details", icon: "edit", onSelect: () => setDialog("edit") },
                ...(layer.kind === "scene"
                  ? [{ label: "Make a mosaic with it", icon: "layers" as const, onSelect: () => window.location.assign(`/mosaics/new?scene=${layer.id}`) }]
                  : []),
                { label: "Copy tile address", icon: "link", onSelect: () => void copyTiles(layer) },
                ...(config.may_manage
                  ? [{ label: "Delete", icon: "trash" as const, danger: true, onSelect: () => setDialog("delete") }]
                  : []),
              ]}
            />
          )}
        </div>
      </div>
      {layer.position_assumed && (
        <p class="note warn">
          <strong>Its place on Earth is assumed.</strong> Distances and areas are only as good as that.{" "}
          {layer.position_note}
        </p>
      )}
      {layer.state === "building" && layer.job && <JobProgress key={layer.job} jobId={layer.job} onDone={reload} />}
      <div class="imagery-columns">
        <Preview layer={layer} lit={lit} scenes={outlines} />
        <div class="stack">
          {layer.remote && <SourceCard layer={layer} source={layer.remote} mayEdit={config.may_edit} onSaved={setLayer} />}
          {mosaic && (
            <MosaicCard
              layer={layer.id}
              project={layer.project}
              mosaic={mosaic}
              mayEdit={config.may_edit}
              onPoint={setLit}
              outlined={outlined}
              onOutlined={setOutlined}
              onSaved={(saved) => {
                setMosaic(saved);
                reload();
              }}
            />
          )}
          <Facts layer={layer} />
          {!scene && <Classes layer={layer} />}
          {scene && <Bands layer={layer} />}
          <Connect layer={layer} />
        </div>
      </div>
      {dialog === "edit" && <EditDialog layer={layer} onClose={close} onSaved={setLayer} />}
      {dialog === "label" && <LabelDialog layer={layer} onClose={close} />}
      {dialog === "map" && <MapDialog layer={layer} onClose={close} />}
      {dialog === "delete" && (
        <DeleteDialog
          what="imagery"
          name={layer.name}
          consequencesUrl={`/api/imagery/${layer.id}/deletion`}
          onClose={close}
          onDelete={async () => {
            await del(`/api/imagery/${layer.id}/`);
            window.location.assign(`/?project=${layer.project}`);
          }}
        />
      )}
    </div>
  );
}

async function copyTiles(layer: Layer): Promise<void> {
  await navigator.clipboard.writeText(window.location.origin + layer.tiles);
  toast("XYZ tile address copied. It works for 12 to 24 hours.", "ok");
}

function Facts({ layer }: { layer: Layer }): JSX.Element {
  const rows: [string, JSX.Element | string][] = [
    ["Size", `${number(layer.width)} × ${number(layer.height)} pixels`],
    ["Pixel", `${metres(layer.gsd_m)} on the ground`],
    ["CRS", layer.epsg ? `EPSG:${layer.epsg}` : "custom"],
    ["Type", `${layer.dtype}, ${layer.bands.length} ${layer.bands.length === 1 ? "band" : "bands"}`],
    ...(layer.nodata === null ? [] : ([["No data", number(layer.nodata)]] as [string, string][])),
    ...(layer.size_bytes > 0 ? ([[layer.kind === "mosaic" ? "Overview" : "File", bytes(layer.size_bytes)]] as [string, string][]) : []),
    ...(layer.acquired_at ? ([["Taken", date(layer.acquired_at)]] as [string, string][]) : []),
    ["Added", date(layer.created_at)],
    ["Attribution", layer.attribution || "–"],
    ...(layer.position_note && !layer.position_assumed ? ([["Position", layer.position_note]] as [string, string][]) : []),
    ["TileJSON", <a href={layer.tilejson}>{layer.tilejson.split("/").at(-1)}</a>],
  ];
  return (
    <section class="card" aria-labelledby="facts-title">
      <h2 id="facts-title">Facts</h2>
      {layer.description && <p>{layer.description}</p>}
      <dl class="facts">
        {rows.map(([term, text]) => (
          <>
            <dt key={`${term}-term`}>{term}</dt>
            <dd key={term}>{text}</dd>
          </>
        ))}
      </dl>
    </section>
  );
}

function Bands({ layer }: { layer: Layer }): JSX.Element {
  const { bands: used = [], stretch } = layer.rendering;
  const role = ["red", "green", "blue"];
  return (
    <section class="card" aria-labelledby="bands-title">
      <h2 id="bands-title">Bands</h2>
      <ol class="bands">
        {layer.bands.map((band, index) => {
          const at = used.indexOf(index + 1);
          return (
            <li key={index}>
              <div class="row">
                <strong>
                  {index + 1} · {band.name}
                </strong>
                {at >= 0 && <Badge tone="accent">{used.length === 1 ? "shown as grey" : `shown as ${role[at] ?? ""}`}</Badge>}
                <span class="spacer" />
                <span class="muted small-text numeric">
                  mean {number(band.mean)} ± {number(band.std)}
                </span>
              </div>
              <Histogram band={band} whole={!layer.dtype.startsWith("float")} stretch={at >= 0 ? (stretch?.[at] ?? null) : null} />
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function Classes({ layer }: { layer: Layer }): JSX.Element {
  const counts = layer.bands[0]?.histogram?.counts;
  const total = counts?.reduce((sum, count) => sum + count, 0) ?? 0;
  return (
    <section class="card" aria-labelledby="classes-title">
      <h2 id="classes-title">Classes</h2>
      <ul class="class-list">
        {layer.classes.map((row) => (
          <li key={row.value} class="row">
            <Swatch colour={row.colour} />
            {row.name}
            <span class="muted numeric">({row.value})</span>
            <span class="spacer" />
            {counts && total > 0 && (
              <span class="muted numeric">
                {area((counts[row.value] ?? 0) * layer.gsd_m ** 2)} · {percent((counts[row.value] ?? 0) / total)}
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Swatch({ colour }: { colour: string }): JSX.Element {
  const holder = useRef<HTMLSpanElement>(null);
  useEffect(() => holder.current?.style.setProperty("background", colour), [colour]);
  return <span class="swatch" ref={holder} />;
}
