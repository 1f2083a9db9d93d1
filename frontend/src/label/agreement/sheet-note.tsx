// On a sheet: whose it is, what becomes of it, and, where the owner shows it, how one did on ground truth.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../../ui/api";
import { percent, plural } from "../../ui/format";

interface OwnScore {
  readonly shown: boolean;
  readonly score: { readonly tasks: number; readonly f1: number | null; readonly iou: number | null } | null;
}

export function SheetNote({ labelSetUrl }: { labelSetUrl: string }): JSX.Element {
  const [own, setOwn] = useState<OwnScore | null>(null);
  const id = labelSetUrl.split("/")[2] ?? "";
  useEffect(() => {
    // Only a pleasant extra: without it the page is whole.
    get<OwnScore>(`/api/label-sets/${id}/agreement/own`).then(setOwn, () => undefined);
  }, [id]);
  return (
    <div class="note small-text sheet-note">
      <strong>Your own sheet.</strong> Nobody sees it while you draw. When you say that a task is done, that is your answer. <a href={labelSetUrl}>The label set</a>
      {own?.score && (
        <p class="sheet-score">Checked on {plural(own.score.tasks, "task")}: F1 {percent(own.score.f1)}, overlap {percent(own.score.iou)}.</p>
      )}
    </div>
  );
}
