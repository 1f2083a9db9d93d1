// Ground truth: which tasks are, and how people did on them.

import type { JSX } from "preact";
import { Button, EmptyState, Table } from "../ui/components";
import type { Column } from "../ui/components";
import { number, percent, plural } from "../ui/format";
import type { TabProps } from "./agreement-tab";
import { TaskTable } from "./task-table";
import type { Overview } from "./types";

type Score = Overview["scores"][number];

const COLUMNS: readonly Column<Score>[] = [
  { key: "person", label: "Labeler", render: ({ person }) => person.name, sort: ({ person }) => person.name },
  { key: "tasks", label: "Tasks", align: "right", hideNarrow: true, render: ({ tasks }) => number(tasks), sort: ({ tasks }) => tasks },
  { key: "f1", label: "F1", align: "right", render: ({ f1 }) => percent(f1), sort: ({ f1 }) => f1 ?? -1 },
  { key: "recall", label: "Found", align: "right", render: ({ recall }) => percent(recall), sort: ({ recall }) => recall ?? -1 },
  { key: "precision", label: "Right", align: "right", hideNarrow: true, render: ({ precision }) => percent(precision), sort: ({ precision }) => precision ?? -1 },
  { key: "iou", label: "Overlap", align: "right", render: ({ iou }) => percent(iou), sort: ({ iou }) => iou ?? -1 },
  { key: "kappa", label: "Kappa", align: "right", hideNarrow: true, render: ({ kappa }) => number(kappa, 2), sort: ({ kappa }) => kappa ?? -1 },
];

export function TruthTab({ overview, tasks, mayManage, onChanged, onChoose }: TabProps): JSX.Element {
  const truth = tasks.filter(({ kind }) => kind === "truth");
  return (
    <div class="stack">
      {truth.length === 0 ? (
        <EmptyState title="No ground truth yet" actions={mayManage && <Button kind="primary" onClick={() => onChoose("truth")}>Choose tasks</Button>}>
          Choose tasks whose samples are as they should be. The samples are put away, and labelers get the tasks again among others, without knowing. What they draw there is compared with the truth and never changes the label set.
        </EmptyState>
      ) : (
        <>
          {!overview.settings.all_on_sheets && (
            <p class="note warn">Only checked tasks are labelled on sheets now, so labelers can tell them from others. Under Agreement, have every new task labelled on sheets.</p>
          )}
          <section class="stack">
            <h2>Scores</h2>
            {overview.scores.length ? (
              <>
                <Table label="Scores on ground truth" columns={COLUMNS} rows={overview.scores} rowKey={({ person }) => String(person.id)} />
                <p class="muted small-text">
                  Found: share of the true objects that were drawn, with the right class and an overlap of at least half. Right: share of the drawn ones that are true. Labelers {overview.settings.show_scores ? "see their own score" : "do not see their score"}.
                </p>
              </>
            ) : (
              <p class="muted">Nobody has done one of the {plural(truth.length, "task")} yet.</p>
            )}
          </section>
          <TaskTable label="Ground truth" tasks={truth} mayManage={mayManage} onChanged={onChanged} />
          {mayManage && <div class="actions"><Button onClick={() => onChoose("truth")}>Choose more tasks</Button></div>}
        </>
      )}
    </div>
  );
}
