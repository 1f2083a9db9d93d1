// The members of a project: add, change role, remove, leave.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { asApiError, del, patch, post } from "../ui/api";
import type { ApiError } from "../ui/api";
import { Badge, Button, ConfirmDialog, ErrorNote, Select, Spinner, Table, TextInput, toast } from "../ui/components";
import type { Column } from "../ui/components";
import { date } from "../ui/format";
import { useRows } from "../ui/rows";
import type { ProjectConfig } from "./page";

export interface Member {
  id: number;
  user: { id: number; username: string; name: string };
  role: string;
  created_at: string;
}

/** True where the caller may give this member another role: their present one is not above the caller's. */
export function mayChange(member: Member, grantable: readonly string[]): boolean {
  return grantable.includes(member.role);
}

/** The members' table with its form. */
export function Members(config: ProjectConfig): JSX.Element {
  const url = `/api/projects/${config.project.id}/members/`;
  const { rows: members, error, load } = useRows<Member>(url);
  const [removing, setRemoving] = useState<Member | null>(null);

  const change = async (member: Member, role: string): Promise<void> => {
    try {
      await patch(`${url}${member.id}/`, { role });
      toast(`${member.user.username} is ${role} now.`, "ok");
    } catch (failure) {
      toast(asApiError(failure).message, "bad");
    }
    load();
  };
  const leaving = removing?.user.id === config.me;
  return (
    <section class="stack" aria-label="Members">
      {config.grantable.length > 0 && <AddMember url={url} grantable={config.grantable} onAdded={load} />}
      {error && <ErrorNote error={error} retry={load} />}
      {!error && members === null && <Spinner label="Loading members" />}
      {members && (
        <Table label="Members" rows={members} rowKey={(member) => String(member.id)} columns={columns(config, change, setRemoving)} />
      )}
      {removing && (
        <ConfirmDialog
          title={leaving ? `Leave ${config.project.name}?` : `Remove ${removing.user.username}?`}
          confirmLabel={leaving ? "Leave" : "Remove"}
          danger
          onClose={() => setRemoving(null)}
          onConfirm={async () => {
            await del(`${url}${removing.id}/`);
            if (leaving) window.location.assign("/");
            else load();
          }}
        >
          {leaving ? "You will no longer see anything of this project." : "What they made stays in the project."}
        </ConfirmDialog>
      )}
    </section>
  );
}

function columns(config: ProjectConfig, change: (member: Member, role: string) => Promise<void>, remove: (member: Member) => void): Column<Member>[] {
  return [
    {
      key: "name",
      label: "Member",
      sort: (member) => member.user.username,
      render: (member) => (
        <>
          {member.user.username}
          {member.user.id === config.me && <span class="muted"> (you)</span>}
          {member.user.name !== "" && <div class="muted small-text">{member.user.name}</div>}
        </>
      ),
    },
    {
      key: "role",
      label: "Role",
      render: (member) =>
        mayChange(member, config.grantable) ? (
          <div class="project-role">
            <Select
              label={`Role of ${member.user.username}`}
              value={member.role}
              options={config.grantable.map((role) => ({ value: role, label: role }))}
              onChange={(role) => void change(member, role)}
            />
          </div>
        ) : (
          <Badge>{member.role}</Badge>
        ),
    },
    { key: "since", label: "Since", hideNarrow: true, render: (member) => date(member.created_at) },
    {
      key: "remove",
      label: "",
      align: "right",
      render: (member) =>
        (member.user.id === config.me || mayChange(member, config.grantable)) && (
          <Button small kind="danger" onClick={() => remove(member)}>
            {member.user.id === config.me ? "Leave" : "Remove"}
          </Button>
        ),
    },
  ];
}

function AddMember(props: { url: string; grantable: string[]; onAdded: () => void }): JSX.Element {
  const [username, setUsername] = useState("");
  const [role, setRole] = useState("labeler");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const add = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await post(props.url, { username: username.trim(), role });
      setUsername("");
      props.onAdded();
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
          void add();
        }}
      >
        <TextInput label="Add by user name" value={username} onChange={setUsername} required maxLength={150} />
        <Select label="As" value={role} options={props.grantable.map((name) => ({ value: name, label: name }))} onChange={setRole} />
        <Button kind="primary" type="submit" busy={busy} disabled={username.trim() === ""}>
          Add member
        </Button>
      </form>
      {error && <ErrorNote error={error} />}
    </>
  );
}
