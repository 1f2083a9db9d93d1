// Invitations by link: made (the link is shown once), listed, revoked.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { asApiError, del, post } from "../ui/api";
import type { ApiError } from "../ui/api";
import { Badge, Button, ConfirmDialog, EmptyState, ErrorNote, Select, ShownOnce, Spinner, Table } from "../ui/components";
import type { Column } from "../ui/components";
import { date } from "../ui/format";
import { useRows } from "../ui/rows";
import type { ProjectConfig } from "./page";

interface Invitation {
  id: string;
  role: string;
  created_by: string;
  created_at: string;
  expires_at: string;
  max_uses: number | null;
  uses: number;
}

const DAYS = [
  { value: "1", label: "for a day" },
  { value: "7", label: "for a week" },
  { value: "30", label: "for a month" },
  { value: "90", label: "for three months" },
];
const USES = [
  { value: "1", label: "by one person" },
  { value: "", label: "by anybody with the link" },
];

/** How often a link was used, in words. */
export function usesText(uses: number, most: number | null): string {
  return most === null ? `${uses} so far` : `${uses} of ${most}`;
}

/** The section of a project's invitations. */
export function Invitations(config: ProjectConfig): JSX.Element {
  const url = `/api/projects/${config.project.id}/invitations/`;
  const { rows, error, load } = useRows<Invitation>(url);
  const [link, setLink] = useState<string | null>(null);
  const [revoking, setRevoking] = useState<Invitation | null>(null);
  return (
    <section class="stack" aria-label="Invitations">
      <NewInvitation
        url={url}
        grantable={config.grantable}
        onMade={(made) => {
          setLink(made);
          load();
        }}
      />
      {link !== null && <ShownOnce title="Send this link now: it is shown only once." secret={link} />}
      {error && <ErrorNote error={error} retry={load} />}
      {!error && rows === null && <Spinner label="Loading invitations" />}
      {rows?.length === 0 && (
        <EmptyState title="No open invitations">A link lets people join who have no account yet, without an administrator.</EmptyState>
      )}
      {rows && rows.length > 0 && <Table label="Open invitations" rows={rows} rowKey={(row) => row.id} columns={columns(setRevoking)} />}
      {revoking && (
        <ConfirmDialog
          title="Revoke this invitation?"
          confirmLabel="Revoke"
          danger
          onClose={() => setRevoking(null)}
          onConfirm={async () => {
            await del(`${url}${revoking.id}/`);
            setLink(null);
            load();
          }}
        >
          Its link lets nobody in any more. Who joined by it stays a member.
        </ConfirmDialog>
      )}
    </section>
  );
}

function columns(revoke: (row: Invitation) => void): Column<Invitation>[] {
  return [
    { key: "role", label: "As", render: (row) => <Badge>{row.role}</Badge> },
    { key: "uses", label: "Used", render: (row) => usesText(row.uses, row.max_uses) },
    { key: "until", label: "Works until", render: (row) => date(row.expires_at) },
    { key: "by", label: "Made by", hideNarrow: true, render: (row) => row.created_by },
    {
      key: "revoke",
      label: "",
      align: "right",
      render: (row) => (
        <Button small kind="danger" onClick={() => revoke(row)}>
          Revoke
        </Button>
      ),
    },
  ];
}

function NewInvitation(props: { url: string; grantable: string[]; onMade: (link: string) => void }): JSX.Element {
  const [role, setRole] = useState("labeler");
  const [days, setDays] = useState("7");
  const [uses, setUses] = useState("1");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const make = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      const body = { role, days: Number(days), max_uses: uses === "" ? null : Number(uses) };
      props.onMade((await post<{ link: string }>(props.url, body)).link);
    } catch (failure) {
      setError(asApiError(failure));
    }
    setBusy(false);
  };
  return (
    <>
      <form
        class="project-add"
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <Select label="Invite as" value={role} options={props.grantable.map((name) => ({ value: name, label: name }))} onChange={setRole} />
        <Select label="The link works" value={days} options={DAYS} onChange={setDays} />
        <Select label="It can be used" value={uses} options={USES} onChange={setUses} />
        <Button kind="primary" type="submit" busy={busy}>
          Make a link
        </Button>
      </form>
      {error && <ErrorNote error={error} />}
    </>
  );
}
