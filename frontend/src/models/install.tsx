// Installing a package by upload.
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { JobProgress } from "../jobs/JobProgress";
import type { Job } from "../jobs/types";
import { call } from "../ui/api";
import { Button, Dialog, ErrorNote, Field, Select } from "../ui/components";

export interface InstallProps {
  projects: { id: string; name: string }[];
  onClose: () => void;
}

export function InstallDialog({ projects, onClose }: InstallProps): JSX.Element {
  const [project, setProject] = useState(projects[0]?.id ?? "");
  const [file, setFile] = useState<File | null>(null);
  const [job, setJob] = useState<Job | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async (): Promise<void> => {
    if (!file) return;
    setBusy(true);
    setError(null);
    const body = new FormData();
    body.set("project", project);
    body.set("file", file);
    try {
      setJob((await call<{ job: Job }>("POST", "/api/models/", body)).job);
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  const done = (ended: Job): void => {
    const url = ended.result["url"];
    if (ended.state === "succeeded" && typeof url === "string") window.location.assign(url);
  };
  return (
    <Dialog
      title="Install a model"
      onClose={onClose}
      onSubmit={() => void submit()}
      actions={
        <>
          <Button onClick={onClose}>{job ? "Close" : "Cancel"}</Button>
          {!job && (
            <Button kind="primary" type="submit" busy={busy} disabled={!file}>
              Install
            </Button>
          )}
        </>
      }
    >
      <div class="stack">
        {job ? (
          <JobProgress jobId={job.id} onDone={done} />
        ) : (
          <>
            <Field label="Package" hint="A .dlpk that a Quadrat site made. No code in it is run.">
              {(control) => <input {...control} type="file" accept=".dlpk,.zip" required onChange={(event) => setFile(event.currentTarget.files?.[0] ?? null)} />}
            </Field>
            <Select label="Project" value={project} options={projects.map(({ id, name }) => ({ value: id, label: name }))} onChange={setProject} />
            {error !== null && <ErrorNote error={error} />}
          </>
        )}
      </div>
    </Dialog>
  );
}
