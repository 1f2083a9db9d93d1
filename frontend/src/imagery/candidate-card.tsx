// One raster of another server: what it is, what to call it, and whether it is read there or copied here.
import type { JSX } from "preact";
import { useCallback } from "preact/hooks";
import { JobProgress } from "../jobs/JobProgress";
import type { Job } from "../jobs/types";
import { Badge, Button, ErrorNote, Select, Spinner, TextInput } from "../ui/components";
import { bytes, number } from "../ui/format";
import { factsOf } from "./remote";
import type { Candidate, Mode } from "./remote";

interface CardProps {
  candidate: Candidate;
  put: (key: string, change: Partial<Candidate>) => void;
  onAdd: () => void;
  onLook: () => void;
}

const MODES = [
  { value: "link", label: "Read it where it lies" },
  { value: "copy", label: "Copy it here" },
];

/** Show one raster and take what is still to be said of it. */
export function CandidateCard({ candidate, put, onAdd, onLook }: CardProps): JSX.Element {
  const { raster, phase, key } = candidate;
  const done = useCallback(
    (job: Job): void => {
      const { url } = job.result;
      if (job.state === "succeeded") put(key, { phase: "done", open: typeof url === "string" ? url : null });
      else put(key, { phase: "new", job: null });
    },
    [key, put],
  );
  return (
    <li class="card candidate">
      <div class="row">
        <strong class="truncate">{candidate.name || candidate.url}</strong>
        {phase === "looking" && <Spinner label="Looking at the file" />}
        {phase === "done" && <Badge tone="ok">Ready</Badge>}
        {phase === "copying" && <Badge tone="accent">Copying</Badge>}
        <span class="spacer" />
        {phase === "done" && candidate.open && (
          <Button small kind="primary" href={candidate.open}>
            Open
          </Button>
        )}
      </div>
      {raster && phase !== "done" && (
        <div class="candidate-look">
          {raster.picture && <img src={raster.picture} alt={`Small picture of ${raster.name}`} />}
          <dl class="facts">
            {factsOf(raster, { number, bytes }).map(([term, text]) => (
              <>
                <dt key={`${term}-term`}>{term}</dt>
                <dd key={term}>{text}</dd>
              </>
            ))}
          </dl>
        </div>
      )}
      {raster?.problem && phase === "new" && (
        <div class="note warn" role="status">
          <strong>{raster.problem.message}</strong>
          <p>{raster.problem.fix}</p>
        </div>
      )}
      {(phase === "new" || phase === "adding") && <Details candidate={candidate} put={put} onAdd={onAdd} />}
      {candidate.job && phase === "copying" && <JobProgress jobId={candidate.job} onDone={done} />}
      {candidate.error !== null && <ErrorNote error={candidate.error} retry={raster ? undefined : onLook} />}
    </li>
  );
}

function Details({ candidate, put, onAdd }: Omit<CardProps, "onLook">): JSX.Element {
  const { key, raster } = candidate;
  const only = raster?.problem !== null;
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        onAdd();
      }}
    >
      <div class="form-grid">
        <TextInput label="Name" value={candidate.name} maxLength={200} required onChange={(name) => put(key, { name })} />
        <TextInput
          label="Attribution"
          value={candidate.attribution}
          maxLength={500}
          placeholder="© Whose imagery, and its licence"
          onChange={(attribution) => put(key, { attribution })}
        />
        <TextInput label="Taken" value={candidate.taken} placeholder="2024-05-31" onChange={(taken) => put(key, { taken })} />
        <Select
          label="The file"
          value={candidate.mode}
          options={only ? MODES.slice(1) : MODES}
          hint={
            candidate.mode === "link"
              ? "Only the bytes that a tile or a value needs are fetched, when they are needed."
              : `${raster && raster.size_bytes > 0 ? `${bytes(raster.size_bytes)} are` : "It is"} downloaded by a job, and kept here.`
          }
          onChange={(mode) => put(key, { mode: mode as Mode })}
        />
      </div>
      {candidate.mode === "link" && raster?.certain === false && (
        <p class="field-hint">Its server does not mark its files: a change that keeps the size will go unnoticed.</p>
      )}
      <div class="actions">
        <Button kind="primary" type="submit" busy={candidate.phase === "adding"} disabled={candidate.name.trim() === ""}>
          Add imagery
        </Button>
      </div>
    </form>
  );
}
