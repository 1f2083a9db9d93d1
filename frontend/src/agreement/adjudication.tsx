// What waits for adjudication: a list, and the one that is open.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get, post } from "../ui/api";
import { Button, EmptyState, ErrorNote, Icon, Spinner, toast } from "../ui/components";
import { percent, plural } from "../ui/format";
import { Adjudicate } from "./adjudicate";
import { say } from "./saying";
import type { AgreementConfig, BlindTask, Overview, Settled, TaskDetail } from "./types";

export interface AdjudicationProps {
  readonly labelSet: AgreementConfig["label_set"];
  readonly overview: Overview;
  readonly tasks: readonly BlindTask[];
  readonly onChanged: () => Promise<void>;
}

export function Adjudication({ labelSet, overview, tasks, onChanged }: AdjudicationProps): JSX.Element {
  const ready = tasks.filter(({ state }) => state === "ready");
  const [chosen, setChosen] = useState<string | null>(null);
  const [detail, setDetail] = useState<TaskDetail | null>(null);
  const [error, setError] = useState<unknown>(null);
  const id = ready.some((task) => task.id === chosen) ? chosen : (ready[0]?.id ?? null);
  useEffect(() => {
    setDetail(null);
    setError(null);
    if (id === null) return undefined;
    const stop = new AbortController();
    get<TaskDetail>(`/api/tasks/${id}/blind`, { signal: stop.signal }).then(setDetail, (failure: unknown) => !stop.signal.aborted && setError(failure));
    return () => stop.abort();
  }, [id, overview.settings.agree_iou]);
  const alike = ready.filter(({ objects, close }) => objects === close).length;
  const settle = (): void =>
    void post<Settled>(`/api/label-sets/${labelSet.id}/agreement/settle`, {}).then(({ count, failed }) => {
      const none = failed.length ? "No task is settled." : "None of them is alike in every object and class.";
      const told = [count ? `${plural(count, "task")} settled.` : none, ...failed.map((one) => `Task ${one.number}: ${one.message}`)];
      toast(told.join(" "), failed.length ? "warn" : count ? "ok" : "neutral");
      return onChanged();
    }, say);
  return (
    <div class="stack">
      <div class="actions">
        {ready.length > 1 && (
          <label class="adjudicate-choice">
            Task
            <select class="select" value={id ?? ""} onChange={(event) => setChosen(event.currentTarget.value)}>
              {ready.map((task) => <option key={task.id} value={task.id}>{task.number} · F1 {percent(task.f1, 0)}</option>)}
            </select>
          </label>
        )}
        {detail && detail.id === id ? <h2 class="adjudicate-title">Task {detail.number}: {detail.a?.name} and {detail.b?.name}</h2> : <span class="spacer" />}
        {alike > 0 && <Button onClick={settle}>Settle what is alike</Button>}
        {overview.counts.settled > 0 && (
          <a class="button" href={`/api/label-sets/${labelSet.id}/agreement/consensus`} download={`${labelSet.name} consensus.geojson`}><Icon name="download" /> Consensus layer</a>
        )}
      </div>
      {ready.length === 0 && (
        <EmptyState title="Nothing waits for adjudication">
          {overview.counts.settled ? `${plural(overview.counts.settled, "task")} settled so far. ` : ""}A task comes here as soon as two people have labelled it.
        </EmptyState>
      )}
      {error !== null && <ErrorNote error={error} />}
      {id !== null && detail === null && error === null && <Spinner label="Loading both versions" />}
      {detail && detail.id === id && (
        <Adjudicate key={detail.id} task={detail} classes={labelSet.layer.classes} imagery={labelSet.imagery} offset={labelSet.offsets[0]} onSettled={() => void onChanged()} />
      )}
    </div>
  );
}
