// What the map says of itself, its first lines until the reader wants all.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** The description of a map; a long one folds. */
export function About({ text }: { text: string }): JSX.Element {
  const shown = useRef<HTMLParagraphElement>(null);
  const [open, setOpen] = useState(false);
  const [long, setLong] = useState(false);
  useEffect(() => {
    const element = shown.current;
    if (!element || open) return undefined;
    // Also when a hidden panel is opened: before that nothing has a height.
    const sized = new ResizeObserver(() => setLong(element.scrollHeight > element.clientHeight + 1));
    sized.observe(element);
    return () => sized.disconnect();
  }, [text, open]);
  return (
    <div class="about small-text">
      <p ref={shown} class={open ? "" : "folded"}>
        {text}
      </p>
      {long && (
        <button type="button" class="link-button" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "Show less" : "Show all"}
        </button>
      )}
    </div>
  );
}
