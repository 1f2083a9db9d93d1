// The page of one model.
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { ClassTable, MetricFacts } from "../runs/metrics";
import { del } from "../ui/api";
import { Badge, Button, ConfirmDialog, Table } from "../ui/components";
import { bytes, date, number } from "../ui/format";
import { Legend } from "./legend";
import type { ModelConfig } from "./types";

export function ModelPage({ model, used_by: usedBy, may_manage: mayManage, may_run: mayRun }: ModelConfig): JSX.Element {
  const [asking, setAsking] = useState(false);
  const { source, chips, training_data: trainedOn } = model.data;
  const perClass = model.metrics.per_class ?? [];
  return (
    <div class="stack">
      <div class="page-head">
        <h1>{model.name}</h1>
        <Badge>{model.task === "classify_pixels" ? "Pixel classification" : "Object detection"}</Badge>
        {!model.installed && <Badge tone="warn">uninstalled</Badge>}
        <div class="actions">
          {model.installed && mayRun && (
            <Button kind="primary" href={`/inferences/new?package=${model.id}`}>
              Run on imagery
            </Button>
          )}
          {model.download && <Button href={model.download}>Download</Button>}
          {model.installed && mayManage && (
            <Button kind="danger" onClick={() => setAsking(true)}>
              Uninstall
            </Button>
          )}
        </div>
      </div>
      <div class="run-columns model-facts">
        <section class="card">
          <h2>Score on held-out chips</h2>
          <MetricFacts task={model.task} metrics={model.metrics} />
          {perClass.length > 1 && <ClassTable task={model.task} rows={perClass} />}
        </section>
        <section class="card">
          <h2>Input and classes</h2>
          <dl class="facts">
            <dt>Bands</dt>
            <dd>
              {model.bands.join(", ")} ({model.dtype})
            </dd>
            <dt>Pixel size</dt>
            <dd class="numeric">{number(model.resolution_m, 3)} m</dd>
            <dt>Chip</dt>
            <dd class="numeric">{model.chip_px} px</dd>
            <dt>Classes</dt>
            <dd>
              <Legend classes={model.classes} />
            </dd>
            <dt>Network</dt>
            <dd>{model.network === "unet" ? "U-Net" : model.network === "retinanet" ? "RetinaNet" : model.network}, EfficientNet-lite0</dd>
          </dl>
        </section>
        <section class="card">
          <h2>Origin</h2>
          <dl class="facts">
            {model.run && (
              <>
                <dt>Run</dt>
                <dd>
                  <a href={model.run.url}>{model.run.name}</a>
                </dd>
              </>
            )}
            {trainedOn && (
              <>
                <dt>Training data</dt>
                <dd>{model.run ? <a href={`/training-data/${trainedOn.id}/`}>{trainedOn.name}</a> : trainedOn.name}</dd>
              </>
            )}
            {chips && (
              <>
                <dt>Chips</dt>
                <dd class="numeric">
                  {number(chips.train)} to train, {number(chips.validation)} held out
                </dd>
              </>
            )}
            {source?.imagery && (
              <>
                <dt>Imagery</dt>
                <dd>{source.imagery.name}</dd>
              </>
            )}
            {(source?.attribution ?? []).length > 0 && (
              <>
                <dt>Attribution</dt>
                <dd>{source?.attribution?.join("; ")}</dd>
              </>
            )}
            <dt>{model.source === "trained" ? "Trained" : "Installed"}</dt>
            <dd>
              {date(model.created_at)}
              {model.created_by ? ` by ${model.created_by}` : ""}
            </dd>
            <dt>Project</dt>
            <dd>
              <a href={`/projects/${model.project}/`}>{model.project_name}</a>
            </dd>
            <dt>Size</dt>
            <dd>{bytes(model.size_bytes)}</dd>
            <dt>SHA-256</dt>
            <dd>
              <code class="hash">{model.sha256}</code>
            </dd>
          </dl>
        </section>
      </div>
      {model.samples.length > 0 && (
        <section class="card">
          <h2>Sample results on held-out chips</h2>
          <div class="sample-grid">
            {model.samples.map((sample, at) => (
              <div class="sample-row" key={sample.image}>
                <figure>
                  <img src={sample.image} alt={`Held-out chip ${at + 1}`} loading="lazy" />
                  <figcaption>Image</figcaption>
                </figure>
                <figure>
                  <img src={sample.truth} alt={`Labels of chip ${at + 1}`} loading="lazy" />
                  <figcaption>Labels</figcaption>
                </figure>
                <figure>
                  <img src={sample.prediction} alt={`Prediction for chip ${at + 1}`} loading="lazy" />
                  <figcaption>Prediction</figcaption>
                </figure>
              </div>
            ))}
          </div>
        </section>
      )}
      <section class="card">
        <h2>Used by</h2>
        {usedBy.length === 0 ? (
          <p class="muted">No inference has used this model yet.</p>
        ) : (
          <Table
            label="Inferences"
            rows={usedBy}
            rowKey={(row) => row.id}
            columns={[
              { key: "name", label: "Inference", render: (row) => <a href={row.url}>{row.name}</a>, sort: (row) => row.name },
              { key: "imagery", label: "Imagery", render: (row) => row.imagery, sort: (row) => row.imagery },
              { key: "when", label: "Started", align: "right", render: (row) => date(row.created_at), sort: (row) => row.created_at },
            ]}
          />
        )}
      </section>
      {asking && (
        <ConfirmDialog
          title="Uninstall this model?"
          confirmLabel="Uninstall"
          danger
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            await del(`/api/models/${model.id}/`);
            window.location.assign("/models/");
          }}
        >
          Its file is removed and it can no longer be run. Results that it made, and the run that made it, stay. Download it first to keep a copy.
        </ConfirmDialog>
      )}
    </div>
  );
}
