// Changes that were drawn under a lease that had ended: accept or reject each.

import type { JSX } from "preact";
import { Button, Icon } from "../../ui/components";
import { boundsOf } from "../geometry";
import type { Tasks, TasksView } from "./tasks";
import type { Proposal } from "./types";

const WHAT = { create: "drew", update: "changed", delete: "deleted" } as const;

export function Proposals({ tasks, view, nameOf }: { tasks: Tasks; view: TasksView; nameOf: (value: number | null) => string }): JSX.Element | null {
  const { own } = view;
  const { mayReview } = tasks.options;
  const shown = view.proposals.filter(({ task }) => own?.id === task || (!own && mayReview));
  if (!shown.length) return null;
  const story = ({ author, action, class_value, number }: Proposal): string =>
    `${author?.name ?? "Somebody"} ${WHAT[action]} ${nameOf(class_value)}${own ? "" : ` in task ${number}`}`;
  return (
    <div class="task-proposals" role="group" aria-label="Proposals">
      <h3>Drawn after the lease had ended</h3>
      <ul>
        {shown.map((proposal) => (
          <li key={proposal.id}>
            <button type="button" class="task-proposal" onClick={() => proposal.geometry && tasks.options.fit(boundsOf(proposal.geometry))}>{story(proposal)}</button>
            <Button small busy={view.busy} onClick={() => void tasks.resolve(proposal, "reject")}>Reject</Button>
            <Button small kind="primary" busy={view.busy} onClick={() => void tasks.resolve(proposal, "accept")}><Icon name="check" /> Accept</Button>
          </li>
        ))}
      </ul>
    </div>
  );
}
