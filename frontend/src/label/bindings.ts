// Which key does what: names of keys, and a person's own choice, kept in the browser.

export interface Key {
  /** Stable name, under which a person's own key is kept. */
  readonly id: string;
  /** Names as `nameOf` gives them; any of them does it. */
  readonly keys: readonly string[];
  /** For a family of keys (digits, arrows) as people read it; such keys stay what they are. */
  readonly shown?: readonly string[];
  readonly label: string;
  readonly group: KeyGroup;
  /** False: not for now, let it pass. */
  readonly run: (event: KeyboardEvent) => boolean | undefined;
}

export const GROUPS = ["Tools", "Draw", "Change", "Samples", "Review", "Tasks", "View"] as const;
export type KeyGroup = (typeof GROUPS)[number];

/** A person's own key by the name of what it does; "": none. */
export type Bindings = Readonly<Record<string, string>>;

const NAMES: Readonly<Record<string, string>> = { " ": "Space", Delete: "Del", Escape: "Esc" };

/** The name of a pressed key: "B", "Shift+B", "Ctrl+Z", "?", "Alt+ArrowLeft". Cmd counts as Ctrl. */
export function nameOf(event: KeyboardEvent): string {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  // On a keyboard of another script the place of the key counts.
  const key = event.key.length === 1 && event.key > "~" && letter !== undefined ? letter : (NAMES[event.key] ?? event.key);
  const isLetter = /^[a-z]$/i.test(key);
  // A sign says by itself whether Shift was down: "?" is not "Shift+?".
  const shift = event.shiftKey && (isLetter || key.length > 1);
  return [
    ...(event.ctrlKey || event.metaKey ? ["Ctrl"] : []),
    ...(event.altKey ? ["Alt"] : []),
    ...(shift ? ["Shift"] : []),
    isLetter ? key.toUpperCase() : key,
  ].join("+");
}

const SIGNS: Readonly<Record<string, string>> = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", "-": "−" };

/** A key's name in the pieces that are shown as caps. */
export function capsOf(name: string): string[] {
  const pieces = name === "+" ? ["+"] : name.split("+");
  return pieces.map((piece) => SIGNS[piece] ?? piece);
}

/** The table with a person's own keys in it. */
export function bound(table: readonly Key[], bindings: Bindings): Key[] {
  return table.map((key) => {
    const own = bindings[key.id];
    return own === undefined || key.shown ? key : { ...key, keys: own === "" ? [] : [own] };
  });
}

/** The table's key that answers a name, of those of one group or of all others: review has its own while it runs. */
export function keyFor(table: readonly Key[], name: string, like?: Key): Key | undefined {
  return table.find(({ keys, group }) => keys.includes(name) && (like === undefined || (group === "Review") === (like.group === "Review")));
}

/** The keys as they answer while review runs or not: of two with one key those of review come first. */
export function answering(keys: readonly Key[], reviewing: boolean): readonly Key[] {
  if (!reviewing) return keys;
  const taken = new Set(keys.filter(({ group }) => group === "Review").flatMap((key) => key.keys));
  return keys.map((key) => (key.group === "Review" ? key : { ...key, keys: key.keys.filter((name) => !taken.has(name)) }));
}

/** The bindings after giving a key to something: whatever had it has none. Null where it cannot be given away. */
export function rebound(table: readonly Key[], bindings: Bindings, id: string, name: string): Bindings | null {
  const now = bound(table, bindings);
  const holder = keyFor(now, name, table.find((key) => key.id === id));
  if (holder?.shown) return null;
  const own = { ...bindings, [id]: name };
  return holder && holder.id !== id ? { ...own, [holder.id]: "" } : own;
}

const STORED = "quadrat-keys";

export function storedBindings(storage: Storage): Bindings {
  const found: unknown = JSON.parse(storage.getItem(STORED) ?? "{}");
  if (typeof found !== "object" || found === null) return {};
  return Object.fromEntries(Object.entries(found).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

export function storeBindings(storage: Storage, bindings: Bindings): void {
  storage.setItem(STORED, JSON.stringify(bindings));
}

/** What a button says: its name and its key, if it has one. */
export function withKey(label: string, keys: readonly Key[], id: string): string {
  const name = keys.find((key) => key.id === id)?.keys[0];
  return name === undefined ? label : `${label} (${capsOf(name).join(" ")})`;
}
