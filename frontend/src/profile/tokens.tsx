// API tokens: made (shown once), listed, revoked.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { asApiError, del, post } from "../ui/api";
import type { ApiError } from "../ui/api";
import { Badge, Button, Checkbox, ConfirmDialog, Dialog, EmptyState, ErrorNote, Select, ShownOnce, Spinner, Table, TextInput } from "../ui/components";
import type { Column } from "../ui/components";
import { ago, date } from "../ui/format";
import { useRows } from "../ui/rows";

interface Token {
  id: string;
  name: string;
  hint: string;
  scopes: string[];
  project: { id: string; name: string } | null;
  created_at: string;
  last_used_at: string | null;
  expires_at: string | null;
}

interface TokensProps {
  scopes: string[];
  projects: { id: string; name: string }[];
}

const SCOPE_TEXT: Record<string, string> = {
  read: "read: see layers, labels, models, jobs and maps",
  edit: "edit: draw and change features",
  run: "run: start and cancel jobs",
  manage: "manage: change projects, members and settings",
};

/** The section of API tokens. */
export function Tokens(props: TokensProps): JSX.Element {
  const { rows: tokens, error, load } = useRows<Token>("/api/tokens/");
  const [making, setMaking] = useState(false);
  const [fresh, setFresh] = useState<string | null>(null);
  const [revoking, setRevoking] = useState<Token | null>(null);
  return (
    <section class="card stack" aria-labelledby="tokens-title">
      <div class="profile-section-head">
        <h2 id="tokens-title">API tokens</h2>
        <div class="actions">
          <Button href="/api/docs/">API documentation</Button>
          <Button kind="primary" onClick={() => setMaking(true)}>
            New token
          </Button>
        </div>
      </div>
      {fresh !== null && <ShownOnce title="Copy your token now: it is shown only once." secret={fresh} />}
      {error && <ErrorNote error={error} retry={load} />}
      {!error && tokens === null && <Spinner label="Loading tokens" />}
      {tokens?.length === 0 && (
        <EmptyState title="No tokens yet">Create one for a script or for QGIS: it acts as you, within the scopes you choose.</EmptyState>
      )}
      {tokens && tokens.length > 0 && (
        <Table label="API tokens" columns={columns(setRevoking)} rows={tokens} rowKey={(token) => token.id} />
      )}
      {making && (
        <NewToken
          {...props}
          onClose={() => setMaking(false)}
          onMade={(token) => {
            setFresh(token);
            setMaking(false);
            load();
          }}
        />
      )}
      {revoking && (
        <ConfirmDialog
          title={`Revoke ${revoking.name}?`}
          confirmLabel="Revoke"
          danger
          onClose={() => setRevoking(null)}
          onConfirm={async () => {
            await del(`/api/tokens/${revoking.id}/`);
            load();
          }}
        >
          Whatever uses it stops working at once. This cannot be undone.
        </ConfirmDialog>
      )}
    </section>
  );
}

function columns(revoke: (token: Token) => void): Column<Token>[] {
  return [
    {
      key: "name",
      label: "Name",
      render: (token) => (
        <>
          {token.name} <code class="muted small-text">{token.hint}…</code>
        </>
      ),
    },
    { key: "scopes", label: "Scopes", render: (token) => <div class="row">{token.scopes.map((scope) => <Badge key={scope}>{scope}</Badge>)}</div> },
    { key: "project", label: "Project", hideNarrow: true, render: (token) => token.project?.name ?? "All of yours" },
    { key: "used", label: "Last used", hideNarrow: true, render: (token) => (token.last_used_at ? ago(token.last_used_at) : "never") },
    { key: "expires", label: "Expires", hideNarrow: true, render: (token) => <Expiry at={token.expires_at} /> },
    {
      key: "revoke",
      label: "",
      align: "right",
      render: (token) => (
        <Button small kind="danger" onClick={() => revoke(token)}>
          Revoke
        </Button>
      ),
    },
  ];
}

function Expiry({ at }: { at: string | null }): JSX.Element {
  const [now] = useState(() => Date.now());
  if (at === null) return <>never</>;
  return new Date(at).getTime() < now ? <Badge tone="warn">expired</Badge> : <>{date(at)}</>;
}

function NewToken(props: TokensProps & { onClose: () => void; onMade: (token: string) => void }): JSX.Element {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<string[]>(["read"]);
  const [days, setDays] = useState("90");
  const [project, setProject] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const make = async (): Promise<void> => {
    if (name.trim() === "" || scopes.length === 0) return;
    setBusy(true);
    setError(null);
    const expires = days === "" ? null : new Date(Date.now() + Number(days) * 86_400_000).toISOString();
    try {
      const made = await post<{ token: string }>("/api/tokens/", { name, scopes, expires_at: expires, project: project || null });
      props.onMade(made.token);
    } catch (failure) {
      setError(asApiError(failure));
      setBusy(false);
    }
  };
  const toggle = (scope: string, on: boolean): void => setScopes(on ? [...scopes, scope] : scopes.filter((known) => known !== scope));
  return (
    <Dialog
      title="New API token"
      onClose={props.onClose}
      onSubmit={() => void make()}
      actions={
        <>
          <Button onClick={props.onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={name.trim() === "" || scopes.length === 0}>
            Create token
          </Button>
        </>
      }
    >
      <div class="stack">
        <TextInput label="Name" value={name} onChange={setName} required autofocus maxLength={200} hint="What uses it, so that you know it again." />
        <fieldset class="token-scopes">
          <legend>Scopes</legend>
          {props.scopes.map((scope) => (
            <Checkbox key={scope} label={SCOPE_TEXT[scope] ?? scope} checked={scopes.includes(scope)} onChange={(on) => toggle(scope, on)} />
          ))}
        </fieldset>
        <Select
          label="Project"
          value={project}
          options={[{ value: "", label: "All of yours" }, ...props.projects.map((row) => ({ value: row.id, label: row.name }))]}
          onChange={setProject}
        />
        <Select
          label="Expires"
          value={days}
          options={[
            { value: "7", label: "in a week" },
            { value: "90", label: "in three months" },
            { value: "365", label: "in a year" },
            { value: "", label: "never" },
          ]}
          onChange={setDays}
        />
        {error && <ErrorNote error={error} />}
      </div>
    </Dialog>
  );
}
