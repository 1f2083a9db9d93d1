import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useAddressTab } from "../ui/address-tab";
import { asApiError, get, patch, post } from "../ui/api";
import type { ApiError } from "../ui/api";
import { Badge, Button, EmptyState, ErrorNote, Icon, Spinner, Table, Tabs, TextInput, toast } from "../ui/components";
import { DeleteDialog } from "../ui/delete-dialog";
import { date } from "../ui/format";
import { Invitations } from "./invitations";
import { Layers } from "./layers";
import { Members } from "./members";

export interface Project {
  id: string;
  name: string;
  description: string;
  role: string;
  members: number;
}

export interface ProjectConfig {
  project: Project;
  manages: boolean;
  /** The caller's user id. */
  me: number;
  roles: string[];
  /** Roles that the caller may give. */
  grantable: string[];
}

const TABS = [
  { id: "members", label: "Members" },
  { id: "invitations", label: "Invitations" },
  { id: "layers", label: "Layers" },
  { id: "settings", label: "Settings" },
  { id: "history", label: "History" },
];

const IDS = TABS.map(({ id }) => id);
/** What every member may see. */
const OPEN = ["members"];

/** The page `/projects/<id>/`. */
export function ProjectPage(config: ProjectConfig): JSX.Element {
  const [project, setProject] = useState(config.project);
  const [tab, setTab] = useAddressTab(config.manages ? IDS : OPEN);
  return (
    <div class="stack">
      <div class="page-head">
        <h1>{project.name}</h1>
        <Badge>{project.role}</Badge>
        <div class="actions">
          <Button href={`/?project=${project.id}`}>Content</Button>
          <Button href={`/jobs/?project=${project.id}`}>Jobs</Button>
          {project.role !== "viewer" && (
            <Button kind="primary" href={`/imagery/upload?project=${project.id}`}>
              <Icon name="upload" /> Upload imagery
            </Button>
          )}
        </div>
      </div>
      {project.description !== "" && <p class="muted">{project.description}</p>}
      {config.manages && <Tabs label="Project" tabs={TABS} selected={tab} onSelect={setTab} />}
      {tab === "members" && <Members {...config} />}
      {tab === "invitations" && <Invitations {...config} />}
      {tab === "layers" && <Layers projectId={project.id} />}
      {tab === "settings" && <Settings project={project} onChange={setProject} />}
      {tab === "settings" && project.role === "owner" && <End project={project} />}
      {tab === "history" && <History project={project} />}
    </div>
  );
}

function Settings({ project, onChange }: { project: Project; onChange: (project: Project) => void }): JSX.Element {
  const [name, setName] = useState(project.name);
  const [description, setDescription] = useState(project.description);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const save = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      onChange(await patch<Project>(`/api/projects/${project.id}/`, { name, description }));
      toast("Saved.", "ok");
    } catch (failure) {
      setError(asApiError(failure));
    }
    setBusy(false);
  };
  return (
    <form
      class="project-settings card"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <TextInput label="Name" value={name} onChange={setName} required maxLength={200} />
      <TextInput label="Description" value={description} onChange={setDescription} rows={4} maxLength={5000} />
      {error && <ErrorNote error={error} />}
      <div class="actions">
        <Button kind="primary" type="submit" busy={busy} disabled={name.trim() === ""}>
          Save
        </Button>
      </div>
    </form>
  );
}

/** The end of a project, for its owner. */
function End({ project }: { project: Project }): JSX.Element {
  const [asking, setAsking] = useState(false);
  return (
    <section class="card project-end" aria-labelledby="end-title">
      <h2 id="end-title">Delete this project</h2>
      <p class="muted">Its imagery, labels, training data, models, results and maps go with it, for everybody and for ever.</p>
      <div class="actions">
        <Button kind="danger" onClick={() => setAsking(true)}>
          Delete project
        </Button>
      </div>
      {asking && (
        <DeleteDialog
          what="project"
          name={project.name}
          consequencesUrl={`/api/projects/${project.id}/deletion`}
          typed
          onClose={() => setAsking(false)}
          onDelete={async () => {
            await post(`/api/projects/${project.id}/deletion`, { name: project.name });
            window.location.assign("/");
          }}
        />
      )}
    </section>
  );
}

interface Act {
  id: number;
  actor: string | null;
  action: string;
  target: string;
  details: Record<string, unknown>;
  at: string;
}

/** What an act is called in the history. */
const ACTS: Readonly<Record<string, string>> = {
  "project.create": "Created the project",
  "project.edit": "Edited the project",
  "member.add": "Added a member",
  "member.role": "Changed a role",
  "member.leave": "Left the project",
  "member.remove": "Removed a member",
  "token.create": "Created an API token",
  "token.revoke": "Revoked an API token",
  "map.share": "Changed who sees a map",
  "package.install": "Installed a model",
  "package.uninstall": "Uninstalled a model",
};

function History({ project }: { project: Project }): JSX.Element {
  const [acts, setActs] = useState<Act[] | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  useEffect(() => {
    get<{ results: Act[] }>(`/api/projects/${project.id}/audit/`).then(
      (answer) => setActs(answer.results),
      (failure: unknown) => setError(asApiError(failure)),
    );
  }, [project.id]);
  if (error) return <ErrorNote error={error} />;
  if (acts === null) return <Spinner label="Loading history" />;
  if (acts.length === 0) return <EmptyState title="Nothing yet">Changes of members, roles, tokens and settings are listed here.</EmptyState>;
  return (
    <Table
      label="History"
      rows={acts}
      rowKey={(act) => String(act.id)}
      columns={[
        { key: "at", label: "When", render: (act) => date(act.at) },
        { key: "actor", label: "Who", render: (act) => act.actor ?? "–" },
        { key: "action", label: "What", render: (act) => ACTS[act.action] ?? act.action.replace(".", ": ") },
        { key: "target", label: "Of", render: (act) => act.target },
        { key: "details", label: "", hideNarrow: true, render: (act) => <Details of={act.details} /> },
      ]}
    />
  );
}

function Details({ of }: { of: Record<string, unknown> }): JSX.Element {
  const words = Object.entries(of).map(([key, value]) => `${key} ${Array.isArray(value) ? value.join(", ") : String(value)}`);
  return <span class="muted">{words.join(" · ")}</span>;
}
