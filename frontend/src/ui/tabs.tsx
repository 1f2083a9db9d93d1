// Rows of tabs.
import type { JSX } from "preact";
import { useRef } from "preact/hooks";

export interface Tab {
  id: string;
  label: string;
}

/** A row of tabs; arrow keys move. The page shows the selected one's content itself. */
export function Tabs(props: { label: string; tabs: readonly Tab[]; selected: string; onSelect: (id: string) => void }): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const now = props.tabs.findIndex((tab) => tab.id === props.selected);
    const next = (now + step + props.tabs.length) % props.tabs.length;
    props.onSelect(props.tabs[next]?.id ?? props.selected);
    list.current?.querySelectorAll("button")[next]?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={props.label} ref={list} onKeyDown={move}>
      {props.tabs.map((tab) => (
        <button
          key={tab.id}
          type="button"
          role="tab"
          aria-selected={tab.id === props.selected}
          tabIndex={tab.id === props.selected ? 0 : -1}
          onClick={() => props.onSelect(tab.id)}
        >
          {tab.label}
        </button>
      ))}
    </div>
  );
}
