import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { asApiError, patch, post } from "../ui/api";
import type { ApiError } from "../ui/api";
import { Button, ErrorNote, TextInput, toast } from "../ui/components";
import { Tokens } from "./tokens";

export interface Me {
  id: number;
  username: string;
  first_name: string;
  last_name: string;
  name: string;
  email: string;
}

export interface ProfileConfig {
  me: Me;
  scopes: string[];
  projects: { id: string; name: string }[];
}

/** The page `/profile/`. */
export function ProfilePage(config: ProfileConfig): JSX.Element {
  return (
    <div class="stack">
      <div class="page-head">
        <h1>{config.me.username}</h1>
      </div>
      <Tokens scopes={config.scopes} projects={config.projects} />
      <div class="profile-layout">
        <Account me={config.me} />
        <Password />
      </div>
    </div>
  );
}

function Account({ me }: { me: Me }): JSX.Element {
  const [first, setFirst] = useState(me.first_name);
  const [last, setLast] = useState(me.last_name);
  const [email, setEmail] = useState(me.email);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const save = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await patch("/api/me/", { first_name: first, last_name: last, email });
      toast("Saved.", "ok");
    } catch (failure) {
      setError(asApiError(failure));
    }
    setBusy(false);
  };
  return (
    <section class="card" aria-labelledby="account-title">
      <h2 id="account-title">Account</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <TextInput label="First name" value={first} onChange={setFirst} maxLength={150} />
        <TextInput label="Last name" value={last} onChange={setLast} maxLength={150} />
        <TextInput label="E-mail" type="email" value={email} onChange={setEmail} maxLength={254} />
        {error && <ErrorNote error={error} />}
        <div class="actions">
          <Button type="submit" busy={busy}>
            Save
          </Button>
        </div>
      </form>
    </section>
  );
}

function Password(): JSX.Element {
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [again, setAgain] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const differs = again !== "" && again !== fresh;
  const save = async (): Promise<void> => {
    if (old === "" || fresh === "" || again !== fresh) return;
    setBusy(true);
    setError(null);
    try {
      await post("/api/me/password/", { old, new: fresh });
      setOld("");
      setFresh("");
      setAgain("");
      toast("Your password is changed. Other devices have been signed out.", "ok");
    } catch (failure) {
      setError(asApiError(failure));
    }
    setBusy(false);
  };
  return (
    <section class="card" aria-labelledby="password-title">
      <h2 id="password-title">Password</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <TextInput label="Old password" type="password" value={old} onChange={setOld} required />
        <TextInput label="New password" type="password" value={fresh} onChange={setFresh} required hint="At least 10 characters." />
        <TextInput
          label="New password again"
          type="password"
          value={again}
          onChange={setAgain}
          required
          error={differs ? "The two do not match." : undefined}
        />
        {error && <ErrorNote error={error} />}
        <div class="actions">
          <Button type="submit" busy={busy} disabled={old === "" || fresh === "" || again !== fresh}>
            Change password
          </Button>
        </div>
      </form>
    </section>
  );
}
