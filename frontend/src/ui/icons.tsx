// The line icons of every page.
import type { JSX } from "preact";

// 16 px line icons, drawn for this site.
const ICONS = {
  add: "M8 3v10M3 8h10",
  close: "m4 4 8 8M12 4l-8 8",
  check: "m3 8.5 3.5 3.5L13 5",
  edit: "M10.5 3.5 12.5 5.5 6 12l-3 1 1-3ZM9 5l2 2",
  trash: "M3 4.5h10M6.5 4.5v-1h3v1M4.5 4.5l.5 8.5h6l.5-8.5M7 7v3.5M9 7v3.5",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8ZM8 6a2 2 0 1 1 0 4 2 2 0 0 1 0-4Z",
  "eye-off": "M2 2l12 12M6.2 3.8A6 6 0 0 1 8 3.5c4 0 6.5 4.5 6.5 4.5a11 11 0 0 1-2 2.5M4 5.3A11 11 0 0 0 1.5 8S4 12.5 8 12.5a6 6 0 0 0 2.8-.7",
  up: "m4 10 4-4 4 4",
  down: "m4 6 4 4 4-4",
  left: "m10 4-4 4 4 4",
  right: "m6 4 4 4-4 4",
  zoom: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9ZM10.5 10.5 14 14M7 5v4M5 7h4",
  extent: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  share: "M11 5.5a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5ZM5 9.75a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5ZM11 14a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5ZM6.5 7.2l3-1.9M6.5 8.8l3 1.9",
  link: "M6.5 9.5a2.5 2.5 0 0 0 3.5 0l2.3-2.3a2.5 2.5 0 0 0-3.5-3.5l-1 1M9.5 6.5a2.5 2.5 0 0 0-3.5 0L3.7 8.8a2.5 2.5 0 0 0 3.5 3.5l1-1",
  magnet: "M3 2.5v5.5a5 5 0 0 0 10 0V2.5h-3V8a2 2 0 0 1-4 0V2.5ZM3 5.5h3M10 5.5h3",
  save: "M8 2.5v7M5 6.5l3 3 3-3M2.5 11.5v2h11v-2",
  layers: "M8 2 14 5.2 8 8.5 2 5.2ZM2.5 8 8 11l5.5-3M2.5 10.8 8 13.8l5.5-3",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  grip: "M6 4h.01M10 4h.01M6 8h.01M10 8h.01M6 12h.01M10 12h.01",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9ZM10.5 10.5 14 14",
  undo: "M5.5 3.5 2.5 6.5l3 3M2.5 6.5H9a4 4 0 0 1 0 8H6.5",
  redo: "M10.5 3.5 13.5 6.5l-3 3M13.5 6.5H7a4 4 0 0 0 0 8h2.5",
  upload: "M8 10.5v-8M5 5.5l3-3 3 3M2.5 10.5v3h11v-3",
  download: "M8 2.5v8M5 7.5l3 3 3-3M2.5 10.5v3h11v-3",
  play: "M5 3.5v9l7-4.5Z",
  stop: "M4.5 4.5h7v7h-7Z",
  refresh: "M13 8a5 5 0 1 1-1.5-3.6M13 2.5v2.7h-2.7",
  info: "M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11ZM8 7.5v3M8 5.3h.01",
  warn: "M8 2.5 14.5 13.5h-13ZM8 6.5v3.5M8 11.8h.01",
  image: "M2.5 3.5h11v9h-11ZM2.5 10.5l3-3 3 3 2-2 3 3M10.5 6h.01",
  shapes: "M2.5 2.5h5v5h-5ZM11 8.5l3 5H8Z",
  model: "M8 2 13.5 5v6L8 14 2.5 11V5ZM2.5 5 8 8l5.5-3M8 8v6",
  map: "M2.5 4 6 2.5 10 4l3.5-1.5V12L10 13.5 6 12l-3.5 1.5ZM6 2.5V12M10 4v9.5",
  data: "M8 2.5c3 0 5 .9 5 2s-2 2-5 2-5-.9-5-2 2-2 5-2ZM3 4.5v7c0 1.1 2 2 5 2s5-.9 5-2v-7M3 8c0 1.1 2 2 5 2s5-.9 5-2",
  run: "M2.5 13.5v-11M2.5 13.5h11M4.5 10.5l3-4 2 2 3.5-5",
  box: "M3 3h10v10H3Z",
  polygon: "M8 2.5 13.5 6.5 11.5 13h-7L2.5 6.5Z",
  pointer: "M3.5 2.5 12.5 7 8.5 8.5 7 12.5Z",
} as const;

export type IconName = keyof typeof ICONS;

/** A 16 px line icon; it means nothing without the text or label beside it. */
export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={ICONS[name]} {...(name === "more" || name === "grip" ? { "stroke-width": "2.2" } : {})} />
    </svg>
  );
}
