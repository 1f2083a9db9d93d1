// Asks for the name of a new project and makes it.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { asApiError, post } from "../ui/api";
import type { ApiError } from "../ui/api";
import { Button, Dialog, ErrorNote, TextInput } from "../ui/components";

export interface MadeProject {
  id: string;
  name: string;
  url: string;
}

/** `<NewProject onClose onMade/>`: a dialog; rendered means open. */
export function NewProject(props: { onClose: () => void; onMade: (project: MadeProject) => void }): JSX.Element {
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const make = async (): Promise<void> => {
    if (name.trim() === "") return;
    setBusy(true);
    setError(null);
    try {
      props.onMade(await post<MadeProject>("/api/projects/", { name, description }));
    } catch (failure) {
      setError(asApiError(failure));
      setBusy(false);
    }
  };
  return (
    <Dialog
      title="New project"
      onClose={props.onClose}
      onSubmit={() => void make()}
      actions={
        <>
          <Button onClick={props.onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={name.trim() === ""}>
            Make project
          </Button>
        </>
      }
    >
      <div class="stack">
        <TextInput label="Name" value={name} onChange={setName} required autofocus maxLength={200} />
        <TextInput label="Description" value={description} onChange={setDescription} rows={3} maxLength={5000} />
        {error && <ErrorNote error={error} />}
      </div>
    </Dialog>
  );
}
