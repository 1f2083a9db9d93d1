// Buttons that open a list of actions.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { classes } from "./class-names";
import { Icon } from "./icons";
import type { IconName } from "./icons";

export interface MenuItem {
  label: string;
  icon?: IconName | undefined;
  danger?: boolean | undefined;
  disabled?: boolean | undefined;
  onSelect: () => void;
}

/** A button that opens a list of actions; arrow keys, Escape and a click beside it work as expected. */
export function Menu(props: {
  label: string;
  items: readonly MenuItem[];
  /** What the button shows; without it three dots. */
  children?: ComponentChildren;
  /** Hang the list at the button's right edge. */
  end?: boolean | undefined;
  small?: boolean | undefined;
}): JSX.Element {
  const [open, setOpen] = useState(false);
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return undefined;
    const close = (event: MouseEvent): void => {
      if (event.target instanceof Node && !holder.current?.contains(event.target)) setOpen(false);
    };
    document.addEventListener("mousedown", close);
    holder.current?.querySelector<HTMLElement>(".menu-list button:not(:disabled)")?.focus();
    return () => document.removeEventListener("mousedown", close);
  }, [open]);
  const keys = (event: KeyboardEvent): void => {
    if (!open) return;
    const buttons = [...(holder.current?.querySelectorAll<HTMLElement>(".menu-list button:not(:disabled)") ?? [])];
    const now = buttons.indexOf(document.activeElement as HTMLElement);
    if (event.key === "Escape") {
      event.stopPropagation();
      setOpen(false);
      holder.current?.querySelector("button")?.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      buttons[(now + step + buttons.length) % buttons.length]?.focus();
    } else if (event.key === "Tab") {
      setOpen(false);
    }
  };
  return (
    <div class={classes("menu", props.end && "end")} ref={holder} onKeyDown={keys}>
      <button
        type="button"
        class={props.children === undefined ? classes("icon-button", props.small && "small") : "button"}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={props.label}
        title={props.children === undefined ? props.label : undefined}
        onClick={() => setOpen(!open)}
      >
        {props.children ?? <Icon name="more" />}
      </button>
      {open && (
        <div class="menu-list" role="menu" aria-label={props.label}>
          {props.items.map((item) => (
            <button
              key={item.label}
              type="button"
              role="menuitem"
              class={item.danger ? "danger" : undefined}
              disabled={item.disabled}
              onClick={() => {
                setOpen(false);
                item.onSelect();
              }}
            >
              {item.icon && <Icon name={item.icon} />}
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
