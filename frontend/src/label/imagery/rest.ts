// The HTTP side of the imagery under a label set.

import { get, post, put } from "../../ui/api";
import { queryOf } from "../../look/picture";
import type { ImageryStyle } from "../../look/picture";
import type { ImageryInfo } from "../../ui/map";
import type { Id } from "../types";
import type { Copied } from "./copying";
import type { Along, Draft, Offset } from "./offset";

/** A scene as the pages show it. */
export interface Scene extends ImageryInfo {
  readonly name: string;
  readonly gsd_m: number;
  readonly dtype: string;
  readonly bands: readonly { readonly name: string }[];
  readonly acquired_at: string | null;
}

/** What a look says in full. */
export interface FullLook {
  readonly query: string;
  readonly words: Record<string, string[]>;
  /** Why it cannot be drawn; "" where it can. */
  readonly problem: string;
}

export interface Kept {
  readonly results: readonly Offset[];
  /** Samples that went along. */
  readonly moved?: number;
}

export interface ImageryRest {
  look(id: Id, style: ImageryStyle): Promise<FullLook>;
  scene(id: Id): Promise<Scene>;
  /** Scenes of the project, newest first. */
  scenes(): Promise<Scene[]>;
  offsets(): Promise<Kept>;
  keep(draft: Draft, version: number, note: string, samples: Along): Promise<Kept>;
}

/** Have the server copy samples into the label set of another date. */
export function copyRest(labelSet: Id): (imagery: Id, ids: readonly Id[]) => Promise<Copied> {
  return (imagery, ids) => post<Copied>(`/api/label-sets/${labelSet}/copies`, { imagery, ids });
}

const MOST_PAGES = 10;

export function imageryRest(labelSet: Id, project: Id): ImageryRest {
  const url = `/api/label-sets/${labelSet}/offsets`;
  return {
    look: (id, style) => get<FullLook>(`/api/imagery/${id}/look?${queryOf(style)}`),
    scene: (id) => get<Scene>(`/api/imagery/${id}/`),
    scenes: async () => {
      const found: Scene[] = [];
      let next: string | null = `/api/imagery/?project=${project}&kind=scene`;
      for (let pages = 0; next && pages < MOST_PAGES; pages++) {
        const page: { results: Scene[]; next: string | null } = await get(next);
        found.push(...page.results);
        next = page.next;
      }
      return found;
    },
    offsets: () => get<Kept>(url),
    keep: (draft, version, note, samples) => put<Kept>(url, { ...draft, version, note, samples }),
  };
}
