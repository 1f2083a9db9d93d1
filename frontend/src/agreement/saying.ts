// Failures in the corner of the page.

import { asApiError } from "../ui/api";
import { toast } from "../ui/components";

/** Say what failed and what to do. */
export function say(error: unknown): void {
  const { message, fix } = asApiError(error);
  toast(`${message} ${fix}`.trim(), "bad");
}
