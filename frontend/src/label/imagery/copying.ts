// Copies samples forward: into the label set of the other date, where they are reviewed.

import { asApiError } from "../../ui/api";
import type { ToastLink } from "../../ui/components";
import { number, plural } from "../../ui/format";
import type { App } from "../app";
import type { Id } from "../types";
import { titleOf } from "./dates";
import type { Imagery } from "./state";

/** The server's answer. */
export interface Copied {
  readonly label_set: Id;
  readonly name: string;
  readonly url: string;
  readonly copied: number;
  readonly already: number;
  readonly deleted: number;
  readonly refused: readonly { readonly message: string; readonly count: number }[];
}

export interface CopyView {
  readonly busy: boolean;
  /** With none selected, all in view: to be confirmed first. */
  readonly asking: readonly Id[] | null;
  /** Where samples were copied to last. */
  readonly done: { readonly imagery: Id; readonly name: string; readonly url: string } | null;
}

export interface CopyingOptions {
  /** Labelers, in the label set itself: what is on a sheet stays there. */
  readonly mayCopy: boolean;
  /** The label set that this one's first samples were copied from. */
  readonly from: { readonly name: string; readonly url: string } | null;
  readonly imagery: Pick<Imagery, "view">;
  readonly app: Pick<App, "chosen" | "settled" | "view">;
  readonly inView: () => readonly Id[];
  readonly send: (imagery: Id, ids: readonly Id[]) => Promise<Copied>;
  /** They are in the other label set. */
  readonly onCopied: (copied: Copied) => void;
  readonly say: (message: string, tone: "neutral" | "warn" | "bad" | "ok", link?: ToastLink) => void;
}

/** What the server takes at once. */
const MOST = 5000;

export class Copying {
  view: CopyView = { busy: false, asking: null, done: null };
  private readonly listeners = new Set<() => void>();

  constructor(private readonly options: CopyingOptions) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get mayCopy(): boolean {
    return this.options.mayCopy;
  }

  get from(): CopyingOptions["from"] {
    return this.options.from;
  }

  /** The other date in words; "" where there is none. */
  get where(): string {
    const { second } = this.options.imagery.view;
    return second ? titleOf(second) : "";
  }

  /** Copy the selected samples, or ask whether all in view are meant; false where there is no other date. */
  begin(): boolean {
    const { app, imagery, say } = this.options;
    if (!imagery.view.second) return false;
    if (this.view.busy) return true;
    const chosen = app.chosen().map(({ id }) => id);
    const ids = chosen.length ? chosen : this.options.inView();
    if (!chosen.length && app.view.doc.truncated) say("There are too many samples in view to copy them. Zoom in, or select some.", "warn");
    else if (ids.length > MOST) say(`At most ${number(MOST)} samples are copied at once, and these are ${number(ids.length)}. Select fewer, or zoom in.`, "warn");
    else if (!ids.length) say("No sample is selected, and none is in view.", "warn");
    else if (chosen.length) void this.copy(ids);
    else this.set({ asking: ids });
    return true;
  }

  async confirm(): Promise<void> {
    const { asking } = this.view;
    this.set({ asking: null });
    if (asking) await this.copy(asking);
  }

  cancel(): void {
    this.set({ asking: null });
  }

  private async copy(ids: readonly Id[]): Promise<void> {
    const { app, imagery, send, say, onCopied } = this.options;
    const { second } = imagery.view;
    if (!second) return;
    this.set({ busy: true });
    try {
      // The server copies what it has.
      if (!(await app.settled())) return say("What you drew is not saved yet. Copy it when it is.", "warn");
      const copied = await send(second.id, ids);
      onCopied(copied);
      this.set({ done: { imagery: second.id, name: copied.name, url: copied.url } });
      const tone = copied.refused.length ? "warn" : copied.copied ? "ok" : "neutral";
      say(saidOfCopies(copied), tone, { href: copied.url + window.location.hash, label: "Open it" });
    } catch (failure) {
      const { message, fix } = asApiError(failure);
      say(`${message} ${fix}`.trim(), "bad");
    } finally {
      this.set({ busy: false });
    }
  }

  private set(change: Partial<CopyView>): void {
    this.view = { ...this.view, ...change };
    for (const listener of this.listeners) listener();
  }
}

/** What became of the samples, in words. */
export function saidOfCopies({ name, copied, already, deleted, refused }: Copied): string {
  return [
    copied ? `${plural(copied, "sample")} copied into “${name}”.` : `Nothing new was copied into “${name}”.`,
    already ? `${number(already)} ${already === 1 ? "was" : "were"} there already.` : "",
    deleted ? `${number(deleted)} ${deleted === 1 ? "was" : "were"} deleted there and ${deleted === 1 ? "stays" : "stay"} so.` : "",
    ...refused.map(({ message, count }) => `${number(count)} not copied: ${message}`),
  ].filter(Boolean).join(" ");
}
