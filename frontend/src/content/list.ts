// The content list without its looks: what is asked for, and how it stands in the address.
import type { IconName } from "../ui/components";

export const KINDS = ["map", "imagery", "photos", "label_set", "training_data", "run", "model", "inference"] as const;
export type Kind = (typeof KINDS)[number];

export interface KindText {
  one: string;
  many: string;
  icon: IconName;
}

export const KIND_TEXT: Record<Kind, KindText> = {
  map: { one: "Map", many: "Maps", icon: "map" },
  imagery: { one: "Imagery", many: "Imagery", icon: "image" },
  photos: { one: "Photos", many: "Photos", icon: "camera" },
  label_set: { one: "Label set", many: "Label sets", icon: "polygon" },
  training_data: { one: "Training data", many: "Training data", icon: "data" },
  run: { one: "Run", many: "Runs", icon: "run" },
  model: { one: "Model", many: "Models", icon: "model" },
  inference: { one: "Inference", many: "Inferences", icon: "play" },
};

export interface Item {
  kind: Kind;
  id: string;
  name: string;
  project: { id: string; name: string };
  owner: string | null;
  modified: string;
  detail: string;
  building: boolean;
  url: string;
}

export interface Filter {
  q: string;
  kind: Kind | "";
  project: string;
}

function isKind(text: string | null): text is Kind {
  return KINDS.some((kind) => kind === text);
}

/** Read the filter from the page's address. */
export function parseFilter(search: string): Filter {
  const given = new URLSearchParams(search);
  const kind = given.get("kind");
  return { q: given.get("q")?.trim() ?? "", kind: isKind(kind) ? kind : "", project: given.get("project") ?? "" };
}

/** Write the filter as a query, without what is empty. */
export function formatFilter(filter: Filter): string {
  const given = new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== ""));
  const text = given.toString();
  return text === "" ? "" : `?${text}`;
}
