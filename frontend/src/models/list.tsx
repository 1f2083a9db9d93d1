// The dashboard of models.
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { headline } from "../runs/metrics";
import { Badge, Button, EmptyState, Select } from "../ui/components";
import { ago, number, plural } from "../ui/format";
import { InstallDialog } from "./install";
import { Legend } from "./legend";
import type { ListConfig, Model } from "./types";

const NETWORKS: Record<string, string> = { unet: "U-Net", retinanet: "RetinaNet" };

export function ModelsPage({ models, projects }: ListConfig): JSX.Element {
  const [task, setTask] = useState("");
  const [installing, setInstalling] = useState(false);
  const shown = models.filter((model) => task === "" || model.task === task);
  const install =
    projects.length > 0 ? (
      <Button kind={models.length === 0 ? "primary" : "normal"} onClick={() => setInstalling(true)}>
        Install a model
      </Button>
    ) : null;
  return (
    <div class="stack">
      <div class="page-head">
        <h1>Models</h1>
        <div class="actions">
          {models.length > 0 && (
            <Select
              label="Task"
              quiet
              value={task}
              options={[
                { value: "", label: "All tasks" },
                { value: "classify_pixels", label: "Pixel classification" },
                { value: "detect_objects", label: "Object detection" },
              ]}
              onChange={setTask}
            />
          )}
          {models.length > 0 && install}
        </div>
      </div>
      {shown.length === 0 ? (
        <EmptyState title={models.length === 0 ? "No model yet" : "No model for this task"} actions={models.length === 0 ? install : undefined}>
          A model comes from a run: open a label set, export training data, and train. A package of another site can be installed.
        </EmptyState>
      ) : (
        <div class="model-grid">
          {shown.map((model) => (
            <ModelCard key={model.id} model={model} />
          ))}
        </div>
      )}
      {installing && <InstallDialog projects={projects} onClose={() => setInstalling(false)} />}
    </div>
  );
}

function ModelCard({ model }: { model: Model }): JSX.Element {
  const [first] = model.samples;
  return (
    <article class="card model-card">
      <a href={model.url} class="model-picture" aria-hidden="true" tabIndex={-1}>
        {first ? (
          <>
            <img src={first.image} alt="" loading="lazy" />
            <img src={first.prediction} alt="" loading="lazy" />
          </>
        ) : (
          <span class="muted small-text">No sample</span>
        )}
      </a>
      <div class="model-words">
        <h2>
          <a href={model.url}>{model.name}</a>
        </h2>
        <p class="row">
          <Badge tone="accent">{headline(model.task, model.metrics)}</Badge>
          <Badge>{model.task === "classify_pixels" ? "Pixels" : "Objects"}</Badge>
          {model.source === "installed" && <Badge>installed</Badge>}
        </p>
        <Legend classes={model.classes} />
        <p class="muted small-text">
          {NETWORKS[model.network] ?? model.network} · {plural(model.bands.length, "band")} · {number(model.resolution_m, 3)} m · {model.project_name}
        </p>
        <p class="muted small-text">
          {model.uses ? `used ${plural(model.uses, "time")}` : "not used yet"} · {ago(model.created_at)}
        </p>
      </div>
    </article>
  );
}
