// The legend of a scene: which bands it shows and how they are stretched; its size, credit and position.
import type { JSX } from "preact";
import { Icon } from "../ui/components";
import { number } from "../ui/format";
import { pictureRows } from "./legend-text";
import type { ImageryRow } from "./types";

/** A note that says where a scene's place on Earth comes from, when it was assumed. */
export function PositionNote({ row }: { row: ImageryRow }): JSX.Element | null {
  if (!row.imagery.position_assumed) return null;
  return (
    <div class="note warn position-note small-text">
      <Icon name="warn" />
      <details>
        <summary>Position on Earth is assumed</summary>
        {row.imagery.position_note || "It was given by hand."}
      </details>
    </div>
  );
}

function PictureLegend({ row }: { row: ImageryRow }): JSX.Element | null {
  const shown = pictureRows(row);
  if (!shown) return null;
  if (shown.kind === "bands") {
    return (
      <ul class="legend small-text numeric" aria-label="Bands">
        {shown.rows.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    );
  }
  return (
    <figure class="ramp small-text">
      <figcaption>{shown.name}</figcaption>
      <div class="ramp-bar" style={{ backgroundImage: `linear-gradient(90deg, ${shown.colours.join(", ")})` }} />
      <div class="ramp-ends numeric">
        <span>{shown.low}</span>
        <span>{shown.high}</span>
      </div>
    </figure>
  );
}

/** What a scene shows. */
export function ImageryLegend({ row }: { row: ImageryRow }): JSX.Element {
  const { width, height, gsd_m: gsd, attribution } = row.imagery;
  return (
    <div class="legend-facts">
      {row.picture.query !== "" && <PictureLegend row={row} />}
      {row.picture.problem && (
        <p class="note warn small-text" role="status">
          Shown in its own colours: {row.picture.problem}
        </p>
      )}
      <p class="muted small-text">
        {number(width)} × {number(height)} px, {gsd < 1 ? `${number(gsd * 100, 0)} cm` : `${number(gsd, 1)} m`} per pixel
      </p>
      {attribution && <p class="muted small-text">{attribution}</p>}
      <PositionNote row={row} />
    </div>
  );
}
