// A tool's card over the map.
import type { ComponentChildren, JSX } from "preact";
import { IconButton } from "../ui/components";

/** Title, cross, contents. Escape closes it. */
export function Card(props: { title: string; onClose: () => void; children: ComponentChildren }): JSX.Element {
  return (
    <section
      class="map-card"
      aria-label={props.title}
      onKeyDown={(event) => {
        if (event.key === "Escape") props.onClose();
      }}
    >
      <header>
        <h3>{props.title}</h3>
        <IconButton label={`Close ${props.title.toLowerCase()}`} icon="close" small onClick={props.onClose} />
      </header>
      {props.children}
    </section>
  );
}
