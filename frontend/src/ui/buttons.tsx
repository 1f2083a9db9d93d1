// Buttons: with words, or with a picture only.
import type { ComponentChildren, JSX } from "preact";
import { classes } from "./class-names";
import { Icon } from "./icons";
import type { IconName } from "./icons";

export interface ButtonProps {
  children: ComponentChildren;
  onClick?: ((event: MouseEvent) => void) | undefined;
  kind?: "normal" | "primary" | "danger" | "quiet" | undefined;
  small?: boolean | undefined;
  type?: "button" | "submit" | undefined;
  disabled?: boolean | undefined;
  /** Shows a spinner and takes no clicks while the work runs. */
  busy?: boolean | undefined;
  title?: string | undefined;
  id?: string | undefined;
  /** With `href` it is a link that looks like a button. */
  href?: string | undefined;
}

/** A button, or a link that looks like one. */
export function Button(props: ButtonProps): JSX.Element {
  const look = classes("button", props.kind !== "normal" && props.kind, props.small && "small");
  const inside = (
    <>
      {props.busy && <span class="spinner" aria-hidden="true" />}
      {props.children}
    </>
  );
  if (props.href !== undefined) {
    return (
      <a class={look} href={props.href} title={props.title} id={props.id} onClick={props.onClick}>
        {inside}
      </a>
    );
  }
  return (
    <button
      class={look}
      type={props.type ?? "button"}
      disabled={props.disabled === true || props.busy === true}
      aria-busy={props.busy === true}
      title={props.title}
      id={props.id}
      onClick={props.onClick}
    >
      {inside}
    </button>
  );
}

export interface IconButtonProps {
  /** Said by screen readers and shown as a tooltip. */
  label: string;
  icon: IconName;
  onClick: (event: MouseEvent) => void;
  pressed?: boolean | undefined;
  disabled?: boolean | undefined;
  small?: boolean | undefined;
}

/** A square button with a picture; its label is its name. */
export function IconButton(props: IconButtonProps): JSX.Element {
  return (
    <button
      class={classes("icon-button", props.small && "small")}
      type="button"
      aria-label={props.label}
      title={props.label}
      aria-pressed={props.pressed}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
    </button>
  );
}
