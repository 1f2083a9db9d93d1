// The page of training data: facts, classes, sample chips, runs.
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { JobProgress } from "../jobs/JobProgress";
import { toneOf } from "../jobs/state";
import { headline } from "../runs/metrics";
import { saidOf } from "../label/imagery/offset";
import { del, get } from "../ui/api";
import { Badge, Button, EmptyState, ErrorNote, Menu, Table } from "../ui/components";
import { DeleteDialog } from "../ui/delete-dialog";
import { ago, bytes, date, number } from "../ui/format";
import { TrainForm } from "./train-form";
import type { DetailConfig, Statistics, TrainingData } from "./types";

export function TrainingDataPage(config: DetailConfig): JSX.Element {
  const { training_data: initial, runs, defaults, may_train: mayTrain } = config;
  const [deleting, setDeleting] = useState(false);
  const [data, setData] = useState(initial);
  const [asking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const { statistics } = data;
  const ready = data.state === "succeeded";
  const trainable = ready && (statistics.chips?.validation ?? 0) > 0;
  const reload = (): void => {
    get<TrainingData>(`/api/training-data/${data.id}/`).then(setData, setError);
  };
  return (
    <div class="stack">
      <div class="page-head">
        <h1>{data.name}</h1>
        <Badge>{data.task === "classify_pixels" ? "Pixels" : "Objects"}</Badge>
        <div class="actions">
          {mayTrain && (
            <Button kind="primary" disabled={!trainable} onClick={() => setAsking(true)}>
              Train
            </Button>
          )}
          {config.may_delete && (
            <Menu end label="More" items={[{ label: "Delete", icon: "trash", danger: true, onSelect: () => setDeleting(true) }]} />
          )}
        </div>
      </div>
      {error !== null && <ErrorNote error={error} />}
      {data.job && !ready && <JobProgress jobId={data.job.id} mayCancel={mayTrain} onDone={reload} />}
      {ready && !trainable && (
        <p class="note">
          No chip is held out for validation, so nothing can be trained on this. Export again with a validation share, smaller chips or
          more labels.
        </p>
      )}
      <div class="run-columns">
        <Facts data={data} />
        {statistics.classes && <Classes statistics={statistics} />}
      </div>
      {data.samples.length > 0 && (
        <section class="card">
          <h2>Chips with their labels</h2>
          <div class="chip-grid">
            {data.samples.map((url, at) => (
              <img key={url} src={url} alt={`Sample chip ${at + 1} with its labels`} loading="lazy" />
            ))}
          </div>
        </section>
      )}
      <section class="card">
        <h2>Runs</h2>
        {runs.length === 0 ? (
          <EmptyState title="Nothing was trained on this yet">
            {mayTrain ? "Train starts a run; its curves appear live." : "A labeler of the project can start a run."}
          </EmptyState>
        ) : (
          <Table
            label="Runs"
            rows={runs}
            rowKey={(row) => row.id}
            columns={[
              { key: "name", label: "Run", render: (row) => <a href={row.url}>{row.name}</a>, sort: (row) => row.name },
              { key: "state", label: "State", render: (row) => <Badge tone={toneOf(row.state)}>{row.state}</Badge> },
              { key: "metric", label: "Best", align: "right", render: (row) => headline(row.task, row.metrics) },
              { key: "when", label: "Started", align: "right", hideNarrow: true, render: (row) => ago(row.created_at), sort: (row) => row.created_at },
            ]}
          />
        )}
      </section>
      {deleting && (
        <DeleteDialog
          what="training data"
          name={data.name}
          consequencesUrl={`/api/training-data/${data.id}/deletion`}
          onClose={() => setDeleting(false)}
          onDelete={async () => {
            await del(`/api/training-data/${data.id}/`);
            window.location.assign(`/?project=${data.project}`);
          }}
        />
      )}
      {asking && <TrainForm data={data} defaults={defaults} onClose={() => setAsking(false)} />}
    </div>
  );
}

function Facts({ data }: { data: TrainingData }): JSX.Element {
  const { statistics } = data;
  const { chips } = statistics;
  const offset = data.spec.imagery_offset;
  return (
    <section class="card">
      <h2>Facts</h2>
      <dl class="facts">
        <dt>Labels</dt>
        <dd>
          <a href={data.label_set.url}>{data.label_set.name}</a>, as of edit {number(data.layer_seq)}
        </dd>
        <dt>Imagery</dt>
        <dd>
          <a href={data.imagery.url}>{data.imagery.name}</a>
          {offset && <span class="muted small-text"> shown {saidOf(offset)} of where its file says while it was labelled; labels are moved back onto its pixels</span>}
        </dd>
        <dt>Format</dt>
        <dd>{data.metadata_format}</dd>
        {chips && (
          <>
            <dt>Chips</dt>
            <dd class="numeric">
              {number(chips.train)} to train, {number(chips.validation)} held out
              {chips.dropped > 0 && `, ${number(chips.dropped)} between them left out`}
            </dd>
            <dt>Chip</dt>
            <dd class="numeric">
              {statistics.chip_px} px, {number(statistics.resolution_m, 3)} m a pixel
            </dd>
            <dt>Bands</dt>
            <dd>
              {statistics.bands?.join(", ")} ({statistics.dtype})
            </dd>
            <dt>Size</dt>
            <dd>{bytes(data.size_bytes)}</dd>
          </>
        )}
        <dt>Exported</dt>
        <dd>
          {date(data.created_at)}
          {data.created_by ? ` by ${data.created_by}` : ""}
        </dd>
      </dl>
    </section>
  );
}

function Classes({ statistics }: { statistics: Statistics }): JSX.Element {
  return (
    <section class="card">
      <h2>Classes</h2>
      <Table
        label="Classes"
        rows={statistics.classes ?? []}
        rowKey={(row) => String(row.value)}
        columns={[
          {
            key: "name",
            label: "Class",
            render: (row) => (
              <span class="row">
                <svg width="12" height="12" aria-hidden="true">
                  <rect width="12" height="12" rx="2" fill={row.colour} />
                </svg>
                {row.name}
              </span>
            ),
            sort: (row) => row.name,
          },
          { key: "value", label: "Value", align: "right", render: (row) => row.value, sort: (row) => row.value },
          { key: "chips", label: "Chips", align: "right", render: (row) => number(row.chips), sort: (row) => row.chips },
          {
            key: "count",
            label: statistics.counted === "objects" ? "Objects" : "Pixels",
            align: "right",
            render: (row) => number(row.count),
            sort: (row) => row.count,
          },
        ]}
      />
    </section>
  );
}
