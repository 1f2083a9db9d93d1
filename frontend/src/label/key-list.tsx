// The overlay of keys, from the same table that the handler reads; each can be changed.

import type { JSX } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { classes } from "../ui/class-names";
import { Button, Dialog, TextInput } from "../ui/components";
import { answering, capsOf, GROUPS, keyFor, nameOf, rebound } from "./bindings";
import type { Bindings, Key } from "./bindings";

const MODIFIERS = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "Tab"]);

export interface KeyListProps {
  /** As they stand when nobody has changed anything. */
  readonly table: readonly Key[];
  /** With this person's own keys. */
  readonly keys: readonly Key[];
  /** Review runs: its keys come before all others. */
  readonly reviewing: boolean;
  readonly bindings: Bindings;
  readonly onChange: (bindings: Bindings) => void;
  readonly onClose: () => void;
}

export function KeyList({ table, keys, reviewing, bindings, onChange, onClose }: KeyListProps): JSX.Element {
  const [asking, setAsking] = useState<Key | null>(null);
  const [said, setSaid] = useState("");
  const [wanted, setWanted] = useState("");
  useLayoutEffect(() => {
    if (!asking) return undefined;
    const take = (event: KeyboardEvent): void => {
      event.preventDefault();
      event.stopPropagation();
      if (MODIFIERS.has(event.key)) return;
      setAsking(null);
      const name = nameOf(event);
      if (name === "Esc") return setSaid("Nothing was changed.");
      const holder = keyFor(keys, name, asking);
      const next = rebound(table, bindings, asking.id, name);
      if (!next) return setSaid(`${capsOf(name).join(" ")} belongs to “${holder?.label ?? ""}” and stays there.`);
      onChange(next);
      setSaid(holder && holder.id !== asking.id ? `“${holder.label}” has no key now.` : "");
    };
    document.addEventListener("keydown", take, { capture: true });
    return () => document.removeEventListener("keydown", take, { capture: true });
  }, [asking, keys, table, bindings, onChange]);
  const found = keys.filter(({ label, keys: names }) => `${label} ${names.join(" ")}`.toLowerCase().includes(wanted.trim().toLowerCase()));
  const now = new Map(answering(keys, reviewing).map((key) => [key.id, key]));
  // What counts now stands first.
  const groups = reviewing ? ["Review" as const, ...GROUPS.filter((group) => group !== "Review")] : GROUPS;
  return (
    <Dialog
      title="Keys" wide onClose={onClose}
      actions={
        <>
          <Button disabled={!Object.keys(bindings).length} onClick={() => { onChange({}); setSaid("All keys are as they came."); }}>Reset all</Button>
          <span class="spacer" />
          <Button kind="primary" onClick={onClose}>Done</Button>
        </>
      }
    >
      <TextInput label="Find" quiet type="search" placeholder="Find a key or what it does" value={wanted} onChange={setWanted} />
      <p class="muted small-text label-keys-said" role="status">{asking ? `Press the key for “${asking.label}” (Esc: leave it).` : said || "Click a key to change it. Your keys are kept in this browser."}</p>
      {reviewing && <p class="note">You are reviewing, so these keys come before all others. What has its key crossed out below has it back when the review ends (Esc).</p>}
      <div class="label-keys">
        {groups.map((group) => {
          const rows = found.filter((key) => key.group === group);
          return rows.length > 0 && (
            <section key={group}>
              <h3>{group === "Review" ? "While reviewing" : group}</h3>
              <dl>
                {rows.map((key) => (
                  <div key={key.id}>
                    <dt><Caps one={key} asking={asking?.id === key.id} own={bindings[key.id] !== undefined} waits={key.keys.length > 0 && !now.get(key.id)?.keys.length} onAsk={() => setAsking(key)} /></dt>
                    <dd>{key.label}</dd>
                  </div>
                ))}
              </dl>
            </section>
          );
        })}
      </div>
      <p class="muted small-text">
        Mouse: drag a corner to move it, the point between two corners to add one, the inside to move the sample. Right
        click or Alt click removes a corner. Shift drag selects what lies in a box, Shift click adds. Click again in the
        same place for the sample below.
      </p>
    </Dialog>
  );
}

function Caps({ one, asking, own, waits, onAsk }: { one: Key; asking: boolean; own: boolean; waits: boolean; onAsk: () => void }): JSX.Element {
  if (one.shown) return <>{one.shown.map((name) => (name === "…" ? <span key={name}>…</span> : <kbd key={name}>{name}</kbd>))}</>;
  const [first] = one.keys;
  const spoken = first === undefined ? "no key" : capsOf(first).join(" ");
  return (
    <button type="button" class={classes("label-key", own && "own", waits && "waits")} title={waits ? "Not while reviewing" : undefined} aria-label={`${spoken}${waits ? ", not while reviewing" : ""}: change the key of ${one.label}`} aria-pressed={asking} onClick={onAsk}>
      {asking ? <span>press…</span> : first === undefined ? <span>none</span> : capsOf(first).map((cap) => <kbd key={cap}>{cap}</kbd>)}
    </button>
  );
}
