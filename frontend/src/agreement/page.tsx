// The agreement page put together: figures, adjudication, ground truth; live while others work.

import type { JSX } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get } from "../ui/api";
import { Button, EmptyState, ErrorNote, Spinner, Tabs } from "../ui/components";
import { number } from "../ui/format";
import { openLive } from "../ui/live";
import { Adjudication } from "./adjudication";
import { AgreementTab } from "./agreement-tab";
import { ChooseTasks } from "./choose-tasks";
import { TruthTab } from "./truth-tab";
import type { AgreementConfig, BlindTask, Overview } from "./types";

const TABS = ["agreement", "adjudicate", "truth"] as const;
type TabId = (typeof TABS)[number];

interface Known {
  readonly overview: Overview;
  readonly tasks: readonly BlindTask[];
}

export function AgreementPage({ label_set: labelSet }: AgreementConfig): JSX.Element {
  const [known, setKnown] = useState<Known | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [tab, setTab] = useState<TabId>(() => TABS.find((one) => location.hash === `#${one}`) ?? "agreement");
  const [choosing, setChoosing] = useState<"double" | "truth" | null>(null);
  const mayManage = ["manager", "owner"].includes(labelSet.role);
  const base = `/api/label-sets/${labelSet.id}/agreement/`;
  const load = useLatest(() =>
    Promise.all([get<Overview>(base), get<{ results: readonly BlindTask[] }>(`${base}tasks`)]).then(
      ([overview, { results }]) => {
        setKnown({ overview, tasks: results });
        setError(null);
      },
      setError,
    ),
  );
  useEffect(() => void load(), [load]);
  useEffect(() => {
    const live = openLive<{ type: string }>(`/ws/layers/${labelSet.layer.id}/`, {
      onMessage: ({ type }) => type === "tasks" && void load(),
      // What happened while the socket was away is not told again.
      onState: (state) => {
        if (state !== "live") return;
        live.send({ type: "hello", after: null });
        void load();
      },
    });
    return () => live.stop();
  }, [labelSet.layer.id, load]);
  const choose = (next: string): void => {
    const found = TABS.find((one) => one === next) ?? "agreement";
    setTab(found);
    history.replaceState(null, "", found === "agreement" ? location.pathname : `#${found}`);
  };
  const ready = known?.overview.counts.ready ?? 0;
  const may = { labelSet, mayManage, onChanged: load, onChoose: setChoosing };
  return (
    <div class="stack">
      <div class="page-head">
        <h1>Agreement in {labelSet.name}</h1>
        <div class="actions"><Button href={labelSet.url}>Label set</Button></div>
      </div>
      {error !== null && <ErrorNote error={error} retry={() => void load()} />}
      <Tabs
        label="Agreement" selected={tab} onSelect={choose}
        tabs={[{ id: "agreement", label: "Agreement" }, { id: "adjudicate", label: ready ? `Adjudicate (${number(ready)})` : "Adjudicate" }, { id: "truth", label: "Ground truth" }]}
      />
      {!known && error === null && <Spinner label="Loading agreement" />}
      {known && known.overview.tasks === 0 && (
        <EmptyState title="No tasks yet" actions={<Button kind="primary" href={labelSet.url}>Cut into tasks</Button>}>
          Agreement is measured on tasks that two people label without seeing each other. First cut the area into tasks, on the label set's page.
        </EmptyState>
      )}
      {known && known.overview.tasks > 0 && tab === "agreement" && <AgreementTab {...may} overview={known.overview} tasks={known.tasks} />}
      {known && known.overview.tasks > 0 && tab === "adjudicate" && <Adjudication labelSet={labelSet} overview={known.overview} tasks={known.tasks} onChanged={load} />}
      {known && known.overview.tasks > 0 && tab === "truth" && <TruthTab {...may} overview={known.overview} tasks={known.tasks} />}
      {choosing && <ChooseTasks labelSetId={labelSet.id} kind={choosing} onClose={() => setChoosing(null)} onDone={() => void load()} />}
    </div>
  );
}

/** One load at a time, once more where something came meanwhile; the same function all along. */
function useLatest(run: () => Promise<void>): () => Promise<void> {
  const last = useRef(run);
  last.current = run;
  const busy = useRef<Promise<void> | null>(null);
  const again = useRef(false);
  return useCallback(function load(): Promise<void> {
    if (busy.current) {
      again.current = true;
      return busy.current;
    }
    busy.current = last.current().finally(() => {
      busy.current = null;
      if (again.current) {
        again.current = false;
        void load();
      }
    });
    return busy.current;
  }, []);
}
