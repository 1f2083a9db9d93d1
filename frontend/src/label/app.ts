// The page's controller: holds the state that panels show, and turns what people do into operations.

import type { LiveState } from "../ui/live";
import { shapeOfGeometry, shapeOfTool, shapesSaid, takes } from "./class-shapes";
import type { EditorPort, Verb } from "./editor";
import { boundsOf, joinBounds } from "./geometry";
import type { Bounds } from "./geometry";
import { difference } from "./merge";
import type { State } from "./store";
import type { Connection, Sync } from "./sync";
import type { Drawing } from "./drawing";
import { movedAlong } from "./ops/borders";
import { KEEPS_SELECTION } from "./sketches";
import type { SketchTool, Tool } from "./sketches";
import type { Host } from "./host";
import { operationFor, redo, remember, undo } from "./undo";
import type { Change, History, Reversal } from "./undo";
import { newId } from "./types";
import type { Choice, Cursor, Geometry, Id, LabelClass, Lease, Member, Operation, Position, Sample } from "./types";
import { rightsOf, roleSaid } from "./rights";
import { firstView, savingOf } from "./view";
import type { SaveState, View } from "./view";

export type { PanelTab, SaveState, Total, View } from "./view";

export interface AppOptions {
  /** This person's id. */
  readonly me: string;
  /** This person's role when the page was opened. */
  readonly role: string;
  readonly classes: readonly LabelClass[];
  readonly wide: boolean;
  readonly editor: EditorPort;
  /** Say something passing. */
  readonly say: (message: string, tone: "neutral" | "warn" | "bad" | "ok") => void;
  /** Where the pending operations are kept: not on disk in a private window. */
  readonly durable: boolean;
  readonly history: History;
}

/** What the server stores in one transaction at most is 500. */
const MOST_TOGETHER = 400;
/** A cursor that has not moved for so long is not shown. */
const CURSOR_KEPT_MS = 20_000;

export class App implements Host {
  view: View;
  sync: Sync | null = null;
  /** Shows what changed on the map. */
  onChange: (view: View, before: View) => void = () => undefined;
  onRedraw: () => void = () => undefined;
  onPointed: (world: Position) => void = () => undefined;
  /** Where the pointer is on the map, in world coordinates. */
  pointer: Position | null = null;
  drawing: Drawing | null = null;
  onCursor: (name: string) => void = () => undefined;
  onFit: (bounds: Bounds) => void = () => undefined;
  /** Under which task's lease is drawn. */
  lease: Lease | null = null;
  /** A note of the task has to be read before anything is drawn. */
  noteUnread = false;
  /** The sample that is being reviewed. */
  reviewing: Id | null = null;
  private readonly listeners = new Set<() => void>();
  /** The open sample as it was when its drag began: the base of what the drag makes. */
  private grabbed: Sample | null = null;

  constructor(private readonly options: AppOptions) {
    this.view = firstView(options);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  set(change: Partial<View>): void {
    const before = this.view;
    this.view = { ...before, ...change };
    this.onChange(this.view, before);
    if (before.selected !== this.view.selected || before.tool !== this.view.tool) this.markOwn();
    for (const listener of this.listeners) listener();
  }

  /** Tell colleagues which sample is open here. */
  private markOwn(): void {
    const { selected, tool } = this.view;
    const [id = null] = selected.size === 1 && tool === "select" && this.mayEdit ? selected : [];
    this.sync?.mark(id);
  }

  get me(): string {
    return this.options.me;
  }

  // --- what the server and the others do ---------------------------------------------------------

  onState(doc: State): void {
    const selected = new Set([...this.view.selected].filter((id) => doc.view.has(id)));
    this.set({ doc, selected: selected.size === this.view.selected.size ? this.view.selected : selected });
  }

  onConnection(connection: Connection | LiveState): void {
    this.set({ connection, ...(connection === "live" ? {} : { members: [], cursors: [] }) });
  }

  /** Somebody changed this person's role: the tools come and go with it, what is drawn stays. */
  onRole(role: string): void {
    const before = this.view.rights;
    if (role === before.role) return;
    const rights = rightsOf(role);
    const lowered = !rights.label && (before.label || this.view.lowered);
    this.set({ rights, lowered, ...(rights.label ? {} : { tool: "select" as const, open: "none" as const }) });
    this.markOwn();
    this.options.say(roleSaid(rights), rights.label ? "neutral" : "warn");
  }

  /** Who is gone takes the pointer along. */
  onMembers(members: readonly Member[]): void {
    const here = new Set(members.map(({ id }) => id));
    this.set({ members, cursors: this.view.cursors.filter(({ id }) => here.has(id)) });
  }

  onCursorOf(cursor: Cursor): void {
    const others = this.view.cursors.filter(({ id, at }) => id !== cursor.id && Date.now() - at < CURSOR_KEPT_MS);
    this.set({ cursors: [...others, cursor] });
  }

  setClasses(classes: readonly LabelClass[]): void {
    this.sync?.setClasses(classes);
    const living = classes.filter(({ retired }) => !retired);
    if (!living.some(({ value }) => value === this.view.currentClass)) this.set({ currentClass: living[0]?.value ?? null });
  }

  /** Render anew: something outside the view changed (a draft, the network). */
  touch(): void {
    this.set({});
  }

  /** Resolves when all that was drawn is stored; false where that does not happen within some seconds. */
  settled(timeoutMs = 10_000): Promise<boolean> {
    if (!this.view.doc.pending.length) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (done: boolean): void => {
        clearTimeout(timer);
        unsubscribe();
        resolve(done);
      };
      const timer = setTimeout(() => end(false), timeoutMs);
      const unsubscribe = this.subscribe(() => !this.view.doc.pending.length && end(true));
    });
  }

  // --- Host: what the tools need -------------------------------------------------------------------

  get tool(): Tool {
    return this.view.tool;
  }
  get mayEdit(): boolean {
    return this.view.rights.label && !this.noteUnread;
  }
  get mayEditClasses(): boolean {
    return this.view.rights.review;
  }
  get snapping(): boolean {
    return this.view.snapping;
  }
  get selected(): ReadonlySet<Id> {
    return this.view.selected;
  }
  redraw(): void {
    this.onRedraw();
  }
  pointed(world: Position | null): void {
    this.pointer = world;
    if (world) this.onPointed(world);
  }
  finished(tool: SketchTool, points: readonly Position[], scale: number): boolean {
    return this.drawing?.finished(tool, points, scale) ?? false;
  }
  between(from: Position, to: Position): readonly Position[] {
    return this.drawing?.between(from, to) ?? [];
  }
  cursor(name: string): void {
    this.onCursor(name);
  }
  refuse(reason: string): void {
    this.options.say(reason, "warn");
  }
  tell(message: string): void {
    this.options.say(message, "neutral");
  }

  select(ids: readonly Id[], add: boolean): void {
    const selected = new Set(add ? this.view.selected : []);
    // Adding one that is there takes it away, as everywhere.
    for (const id of ids) {
      if (add && ids.length === 1 && selected.has(id)) selected.delete(id);
      else selected.add(id);
    }
    this.set({ selected });
  }

  drawn(geometry: Geometry): void {
    const { currentClass } = this.view;
    if (!this.mayBe(geometry, currentClass)) return;
    const id = newId();
    const after: Sample = {
      id, geometry, classValue: currentClass, properties: {},
      version: 0, fid: null, score: null, source: "human", verified: true, updatedBy: null,
    };
    const name = this.view.doc.classes.find(({ value }) => value === currentClass)?.name;
    this.set({ stamp: geometry });
    this.act(name ? `Draw ${name}` : "Draw sample", [{ id, before: null, after }]);
  }

  /** Whether a class takes a shape; where it does not, that is said. */
  mayBe(geometry: Geometry, value: number | null): boolean {
    const found = this.view.doc.classes.find((one) => one.value === value);
    const fits = takes(found, shapeOfGeometry(geometry));
    if (!fits && found) this.refuse(`${found.name} takes ${shapesSaid(found)} only. Choose another class, or draw it otherwise.`);
    return fits;
  }

  editing(): void {
    const [id] = this.view.selected;
    this.grabbed = id === undefined ? null : (this.view.doc.view.get(id) ?? null);
  }

  edited(geometry: Geometry, verb: Verb): void {
    const before = this.grabbed;
    if (!before) return;
    const own = { id: before.id, before, after: { ...before, geometry } };
    // With snapping on, corners that lie on each other go together, so that a shared border stays shared.
    const along = this.snapping && verb === "Move corner" ? movedAlong(this.visible(), before.id, before.geometry, geometry) : [];
    const others = along.map(({ sample, geometry: moved }): Change => ({ id: sample.id, before: sample, after: { ...sample, geometry: moved } }));
    this.act(others.length ? "Move shared corner" : verb, [own, ...others], { whole: others.length > 0 });
  }

  // --- what people do ----------------------------------------------------------------------------

  setTool(tool: Tool): void {
    if (tool !== "select" && this.noteUnread) return this.options.say("Read the reviewer's note in the Tasks panel first.", "warn");
    if (tool !== "select" && !this.mayEdit) return this.options.say("Your role here is viewer: you can look, not draw.", "warn");
    const shape = shapeOfTool(tool);
    const found = this.view.doc.classes.find(({ value }) => value === this.view.currentClass);
    if (shape && found && !takes(found, shape)) return this.options.say(`${found.name} takes ${shapesSaid(found)} only. Choose another class first.`, "warn");
    this.set({ tool, ...(KEEPS_SELECTION.has(tool) ? {} : { selected: new Set<Id>() }) });
  }

  /** Choose the class to draw with; selected samples become of it. */
  chooseClass(value: number | null): void {
    const { doc, selected, tool } = this.view;
    const found = doc.classes.find((one) => one.value === value);
    const shape = shapeOfTool(tool);
    this.set({ currentClass: value, ...(shape && !takes(found, shape) ? { tool: "select" as const } : {}) });
    if (tool !== "select" || !selected.size || !this.mayEdit) return;
    const changes = this.chosen().flatMap((before): Change[] =>
      before.classValue === value || !this.mayBe(before.geometry, value) ? [] : [{ id: before.id, before, after: { ...before, classValue: value } }],
    );
    const name = found?.name ?? "no class";
    if (changes.length) this.act(`Make ${name}`, changes);
  }

  /** Choose the n-th class that is offered (0 first). */
  chooseNth(n: number): void {
    const found = this.view.doc.classes.filter(({ retired }) => !retired)[n];
    if (found) this.chooseClass(found.value);
  }

  deleteSelected(): void {
    const changes = this.chosen().map((before): Change => ({ id: before.id, before, after: null }));
    if (!changes.length || !this.mayEdit) return;
    this.act(changes.length === 1 ? "Delete sample" : `Delete ${changes.length} samples`, changes);
  }

  undo(): void {
    this.reverse(undo(this.view.history, this.view.doc.view, this.order()), "Undone");
  }

  redo(): void {
    this.reverse(redo(this.view.history, this.view.doc.view, this.order()), "Done again");
  }

  resolve(opId: Id, choice: Choice): void {
    void this.sync?.resolve(opId, choice);
  }

  discard(opId: Id): void {
    void this.sync?.discard(opId);
  }

  /** Send what was refused again, on a sheet under the task that is held now. */
  retry(): void {
    this.set({ aside: new Set() });
    void this.sync?.retry(this.lease);
  }

  /** Select the next (1) or previous (-1) sample and bring it into view. */
  step(by: 1 | -1): void {
    const all = [...this.view.doc.view.values()].filter(({ classValue }) => !this.view.hiddenClasses.has(classValue));
    if (!all.length) return;
    const [id] = this.view.selected;
    const at = all.findIndex((sample) => sample.id === id);
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length];
    if (next) this.show(next.id);
  }

  /** Select a sample and bring it into view, with another version of it where there is one. */
  show(id: Id, beside: Sample | null = null): void {
    const sample = this.view.doc.view.get(id);
    if (!sample) return;
    this.set({ tool: "select", selected: new Set([id]) });
    this.onFit(joinBounds([sample, ...(beside ? [beside] : [])].map(({ geometry }) => boundsOf(geometry))) ?? boundsOf(sample.geometry));
  }

  fitSelected(): void {
    const bounds = joinBounds(this.chosen().map(({ geometry }) => boundsOf(geometry)));
    if (bounds) this.onFit(bounds);
  }

  toggleClass(value: number | null): void {
    const hiddenClasses = new Set(this.view.hiddenClasses);
    if (!hiddenClasses.delete(value)) hiddenClasses.add(value);
    this.set({ hiddenClasses });
  }

  /** The selected samples. */
  chosen(): Sample[] {
    return [...this.view.selected].flatMap((id) => this.view.doc.view.get(id) ?? []);
  }

  /** The samples that are shown. */
  *visible(): Iterable<Sample> {
    const { doc, hiddenClasses, labelsHidden } = this.view;
    if (labelsHidden) return;
    for (const sample of doc.view.values()) if (!hiddenClasses.has(sample.classValue)) yield sample;
  }

  private order(): number {
    return this.sync?.nextOrder() ?? 1;
  }

  /** A change of the sample under review is a decision on it. */
  private reviewed(change: Change): Change {
    if (change.id !== this.reviewing || change.review || !change.before) return change;
    return { ...change, review: change.after ? "fix" : "reject" };
  }

  /** Take a step: on the map, in the undo list, and on its way to the server; `whole`: stored together or not at all. */
  act(label: string, wanted: readonly Change[], { whole = false }: { readonly whole?: boolean } = {}): void {
    const order = this.order();
    const changes = wanted.map((change) => this.reviewed(change));
    const operations = changes
      .map((change, i) => operationFor(change, order + i))
      .filter((operation) => operation.action !== "update" || operation.review !== undefined || !operation.base || Object.keys(difference(operation.base, operation.patch)).length > 0);
    if (!operations.length) return;
    this.set({ history: remember(this.view.history, { label, changes, whole }) });
    this.save(operations, whole);
  }

  private reverse(result: Reversal, word: string): void {
    this.set({ history: result.history });
    if (!result.done) return this.options.say(result.reason, "neutral");
    this.save(result.operations, result.step.whole ?? false);
    this.options.say(`${word}: ${result.step.label}`, "neutral");
  }

  private save(made: readonly Operation[], whole: boolean): void {
    const { lease } = this;
    const more = { ...(lease ? { lease } : {}), ...(whole && made.length > 1 && made.length <= MOST_TOGETHER ? { group: newId() } : {}) };
    const operations = made.map((operation) => ({ ...operation, ...more }));
    this.sync?.edit(operations).catch((error: unknown) => {
      this.options.say(`This browser could not keep your work on disk (${String(error)}). Keep the page open until it says Saved.`, "bad");
    });
  }

  /** How things stand with saving, in one word. */
  saveState(): SaveState {
    return savingOf(this.view, this.options.durable);
  }
}
