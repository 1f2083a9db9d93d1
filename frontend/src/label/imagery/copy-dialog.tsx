// Asks whether all samples in view are meant to be copied to the other date.

import type { JSX } from "preact";
import { ConfirmDialog } from "../../ui/components";
import { plural } from "../../ui/format";
import type { Copying } from "./copying";
import { useCopying } from "./use-imagery";

export function CopyDialog({ copying }: { copying: Copying }): JSX.Element | null {
  const { asking } = useCopying(copying);
  if (!asking) return null;
  return (
    <ConfirmDialog title={`Copy ${plural(asking.length, "sample")} to ${copying.where}?`} confirmLabel="Copy" onConfirm={() => copying.confirm()} onClose={() => copying.cancel()}>
      No sample is selected, so all that lie in view are copied into the label set of that date. There they wait as suggestions until somebody accepts them; what is there already stays as it is.
    </ConfirmDialog>
  );
}
