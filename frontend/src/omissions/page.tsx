// Omissions: choose the model's layer, then one key for each place.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../ui/api";
import { Button, EmptyState, ErrorNote, Spinner } from "../ui/components";
import { Hunt } from "./hunt";
import type { DetectionLayer, OmissionsConfig } from "./types";

export function OmissionsPage({ label_set: labelSet }: OmissionsConfig): JSX.Element {
  const [layers, setLayers] = useState<readonly DetectionLayer[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const url = `/api/label-sets/${labelSet.id}/omissions`;
  const load = (): void => {
    setError(null);
    get<{ layers: readonly DetectionLayer[] }>(url).then((told) => setLayers(told.layers), setError);
  };
  useEffect(load, [url]);
  return (
    <div class="stack">
      <div class="page-head">
        <h1>Omissions in {labelSet.name}</h1>
        <div class="actions"><Button href={labelSet.url}>Label set</Button></div>
      </div>
      {error !== null && <ErrorNote error={error} retry={load} />}
      {!layers && error === null && <Spinner label="Looking for detections" />}
      {layers?.length === 0 && (
        <EmptyState title="No model has looked at this imagery" actions={<Button kind="primary" href={`/inferences/new?imagery=${labelSet.imagery.id}`}>Run a model</Button>}>
          People miss more objects than they invent. Run a model over the imagery, and come back: here you go through what it found and nobody has drawn.
        </EmptyState>
      )}
      {layers && layers.length > 0 && <Hunt labelSet={labelSet} url={url} layers={layers} />}
    </div>
  );
}
