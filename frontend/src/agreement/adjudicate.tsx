// One task of two people: the map with both versions, the list of what differs, one key a decision.

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { shiftOf } from "../label/imagery/offset";
import type { Offset } from "../label/imagery/offset";
import { listenToKeys } from "../label/keys";
import type { Key } from "../label/bindings";
import { Swatch } from "../label/swatch";
import type { Geometry, LabelClass } from "../label/types";
import { asApiError, post } from "../ui/api";
import { Badge, Button, Select, toast } from "../ui/components";
import { percent, plural } from "../ui/format";
import type { ImageryInfo } from "../ui/map";
import { Board } from "./board";
import { bodyOf, decisionOf, neighbour, nextOpen, offers, undecided } from "./deciding";
import type { Decisions } from "./deciding";
import { NothingMore } from "./nothing-more";
import type { Decision, Difference, Take, TaskDetail, Version } from "./types";

export interface AdjudicateProps {
  readonly task: TaskDetail;
  readonly classes: readonly LabelClass[];
  readonly imagery: ImageryInfo;
  readonly offset: Offset | undefined;
  readonly onSettled: () => void;
}

interface Editing {
  readonly key: string;
  readonly geometry: Geometry;
  readonly classValue: number | null;
}

export function Adjudicate({ task, classes, imagery, offset, onSettled }: AdjudicateProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const [board, setBoard] = useState<Board | null>(null);
  const [decisions, setDecisions] = useState<Decisions>(new Map());
  const [chosen, setChosen] = useState<string | null>(() => nextOpen(task.differences, new Map(), null) ?? task.differences[0]?.key ?? null);
  const [editing, setEditing] = useState<Editing | null>(null);
  const [busy, setBusy] = useState(false);
  const one = task.differences.find(({ key }) => key === chosen) ?? null;
  const left = undecided(task.differences, decisions);

  useEffect(() => {
    if (!place.current) return undefined;
    const opened = new Board(place.current, imagery, offset ? shiftOf(offset, offset) : [0, 0], {
      choose: setChosen,
      edited: (geometry) => setEditing((now) => (now ? { ...now, geometry } : now)),
    });
    setBoard(opened);
    return () => opened.stop();
  }, [imagery, offset]);
  useEffect(() => {
    board?.show({ cell: task.geometry, differences: task.differences, decisions, chosen, editing: editing?.geometry ?? null });
  }, [board, task, decisions, chosen, editing]);
  useEffect(() => board?.look(task.differences.find(({ key }) => key === chosen) ?? null), [board, task, chosen]);

  const choose = (key: string | null): void => {
    setEditing(null);
    setChosen(key);
  };
  const decide = (decision: Decision): void => {
    if (!one) return;
    const next = new Map(decisions).set(one.key, decision);
    setDecisions(next);
    choose(nextOpen(task.differences, next, one.key));
  };
  const take = (wanted: Take): boolean | undefined => {
    if (!one || !offers(one, wanted)) return false;
    if (wanted !== "edit") {
      decide({ take: wanted });
      return undefined;
    }
    const before = decisions.get(one.key);
    const source = one.a ?? one.b;
    if (source) setEditing({ key: one.key, geometry: before?.geometry ?? source.geometry, classValue: before?.class_value ?? source.class_value });
    return undefined;
  };
  const keep = (): void => {
    if (editing) decide({ take: "edit", geometry: editing.geometry, class_value: editing.classValue });
  };
  const finish = (): void => {
    if (left || busy) return;
    setBusy(true);
    post(`/api/tasks/${task.id}/blind`, bodyOf(decisions))
      .then(
        () => {
          toast(`Task ${task.number} is settled.`, "ok");
          onSettled();
        },
        (error: unknown) => {
          const { code, message, fix } = asApiError(error);
          toast(`${message} ${fix}`, "bad");
          if (code === "not_ready") onSettled();
        },
      )
      .finally(() => setBusy(false));
  };

  const key = (id: string, name: string, run: () => unknown): Key => ({
    id, keys: [name], label: id, group: "Review",
    run: () => (run() === false ? false : undefined),
  });
  const keys = [
    key("a", "A", () => take("a")),
    key("b", "B", () => take("b")),
    key("both", "2", () => take("both")),
    key("none", "X", () => take("none")),
    key("edit", "E", () => take("edit")),
    key("keep", "Enter", () => (editing ? keep() : false)),
    key("escape", "Escape", () => (editing ? setEditing(null) : false)),
    key("next", "N", () => choose(neighbour(task.differences, chosen, 1))),
    key("before", "Shift+N", () => choose(neighbour(task.differences, chosen, -1))),
  ];
  // Bound anew with what they act on.
  useLayoutEffect(() => listenToKeys(keys, document));
  useLayoutEffect(() => {
    // By itself: a focused row or button would answer Enter, and this is not meant for it.
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      finish();
    };
    document.addEventListener("keydown", onKey, { capture: true });
    return () => document.removeEventListener("keydown", onKey, { capture: true });
  });

  return (
    <div class="adjudicate">
      <div class="adjudicate-map" ref={place} role="application" aria-label="Map with both versions" tabIndex={0} />
      <div class="adjudicate-side">
        <p class="adjudicate-legend">
          <span class="version"><span class="version-a">A</span> <span class="truncate">{task.a?.name}</span></span>
          <span class="version"><span class="version-b">B</span> <span class="truncate">{task.b?.name}</span></span>
        </p>
        <ol class="difference-list" aria-label={`What ${task.a?.name ?? "A"} and ${task.b?.name ?? "B"} drew`}>
          {task.differences.map((item) => (
            <Row key={item.key} item={item} task={task} classes={classes} decision={decisionOf(item, decisions)} chosen={item.key === chosen} onChoose={() => choose(item.key)} />
          ))}
        </ol>
        <NothingMore task={task} />
        {editing && one ? (
          <EditBar editing={editing} one={one} classes={classes} onChange={setEditing} onKeep={keep} onCancel={() => setEditing(null)} />
        ) : (
          one && <TakeBar one={one} task={task} onTake={take} />
        )}
        <div class="actions adjudicate-end">
          <span class="muted" role="status">{left ? `${plural(left, "difference")} to decide` : "All decided"}</span>
          <span class="spacer" />
          <Button kind="primary" busy={busy} disabled={left > 0} title="Ctrl Enter" onClick={finish}>Settle task {task.number}</Button>
        </div>
      </div>
    </div>
  );
}

const TAKEN: Readonly<Record<Take, string>> = { a: "A", b: "B", both: "both", none: "neither", edit: "edited" };

interface RowProps {
  readonly item: Difference;
  readonly task: TaskDetail;
  readonly classes: readonly LabelClass[];
  readonly decision: Decision | null;
  readonly chosen: boolean;
  readonly onChoose: () => void;
}

function Row({ item, task, classes, decision, chosen, onChoose }: RowProps): JSX.Element {
  const element = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (chosen) element.current?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  const words = {
    agreed: "Alike", geometry: "Shape differs", class: "Class differs", only_a: `Only ${task.a?.name ?? "A"}`, only_b: `Only ${task.b?.name ?? "B"}`,
  }[item.what];
  return (
    <li ref={element}>
      <button type="button" class="difference" aria-current={chosen} onClick={onChoose}>
        <span class="truncate">{words}</span>
        <span class="muted small-text numeric">{item.iou === null ? "" : percent(item.iou, 0)}</span>
        <span class="difference-classes">
          {item.a && <ClassName version={item.a} classes={classes} />}
          {item.b && item.b.class_value !== item.a?.class_value && <ClassName version={item.b} classes={classes} />}
        </span>
        <Badge tone={decision ? "ok" : "warn"}>{decision ? TAKEN[decision.take] : "open"}</Badge>
      </button>
    </li>
  );
}

function ClassName({ version, classes }: { version: Version; classes: readonly LabelClass[] }): JSX.Element {
  const found = classes.find(({ value }) => value === version.class_value);
  return <span class="row small-text difference-class"><Swatch colour={found?.colour ?? "#d0d4d3"} /> <span class="truncate">{found?.name ?? "No class"}</span></span>;
}

function TakeBar({ one, task, onTake }: { one: Difference; task: TaskDetail; onTake: (take: Take) => void }): JSX.Element {
  const button = (take: Take, key: string, label: string): JSX.Element => (
    <Button small disabled={!offers(one, take)} title={key} onClick={() => onTake(take)}><kbd>{key}</kbd> <span class="truncate">{label}</span></Button>
  );
  return (
    <div class="actions take-bar" role="group" aria-label="Take">
      {button("a", "A", task.a?.name ?? "A")}
      {button("b", "B", task.b?.name ?? "B")}
      {button("both", "2", "Both")}
      {button("none", "X", "Neither")}
      {button("edit", "E", "Edit")}
    </div>
  );
}

interface EditBarProps {
  readonly editing: Editing;
  readonly one: Difference;
  readonly classes: readonly LabelClass[];
  readonly onChange: (editing: Editing) => void;
  readonly onKeep: () => void;
  readonly onCancel: () => void;
}

function EditBar({ editing, one, classes, onChange, onKeep, onCancel }: EditBarProps): JSX.Element {
  const bar = useRef<HTMLDivElement>(null);
  // Enter keeps it, wherever the focus was before.
  useEffect(() => bar.current?.querySelector<HTMLElement>(".button.primary")?.focus(), []);
  const options = classes.filter(({ retired, value }) => !retired || value === editing.classValue).map(({ value, name }) => ({ value: String(value), label: name }));
  const from = (version: Version | null, name: string): JSX.Element | null =>
    version && <Button small onClick={() => onChange({ ...editing, geometry: version.geometry })}>From {name}</Button>;
  return (
    <div class="edit-bar" ref={bar} role="group" aria-label="Edit the shape">
      <p class="small-text muted">Drag its corners on the map; drag half-way points to add one.</p>
      <div class="actions">
        {from(one.a, "A")}
        {from(one.b, "B")}
        <Select label="Class" quiet value={String(editing.classValue ?? "")} options={editing.classValue === null ? [{ value: "", label: "No class" }, ...options] : options} onChange={(value) => onChange({ ...editing, classValue: value === "" ? null : Number(value) })} />
      </div>
      <div class="actions edit-end">
        <Button small title="Escape" onClick={onCancel}>Cancel</Button>
        <Button small kind="primary" title="Enter" onClick={onKeep}>Keep it</Button>
      </div>
    </div>
  );
}
