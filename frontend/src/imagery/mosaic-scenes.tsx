// A mosaic's list of scenes: what lies on top, in order.
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { IconButton } from "../ui/components";
import { classes } from "../ui/class-names";
import { number } from "../ui/format";
import { moved } from "./mosaic";
import type { Scene } from "./mosaic";

/** Say what tells scenes of one name apart. */
export function sceneFacts(scene: Scene): string {
  const pixel = scene.gsd_m >= 1 ? `${number(scene.gsd_m)} m` : `${number(scene.gsd_m * 100)} cm`;
  const taken = scene.acquired_at ? scene.acquired_at.slice(0, 10) : "no date";
  return [taken, pixel, ...(scene.epsg ? [`EPSG:${scene.epsg}`] : [])].join(" · ");
}

/** The list; with `onChange`, scenes can be moved and taken out. */
export function SceneList(props: {
  scenes: readonly Scene[];
  onChange?: ((scenes: Scene[]) => void) | undefined;
  onPoint?: ((id: string | null) => void) | undefined;
}): JSX.Element {
  const { scenes, onChange, onPoint } = props;
  const [dragged, setDragged] = useState<number | null>(null);
  const list = useRef<HTMLOListElement>(null);
  const move = (from: number, to: number): void => {
    onChange?.(moved(scenes, from, to));
    // The button that was pressed has moved with its row: the focus goes there, too.
    const label = to < from ? "up" : "down";
    requestAnimationFrame(() => list.current?.querySelectorAll<HTMLElement>(`[data-move="${label}"] button`)[to]?.focus());
  };
  return (
    <ol class="scene-list" ref={list} aria-label="Scenes, the first on top" onMouseLeave={() => onPoint?.(null)}>
      {scenes.map((scene, index) => (
        <li
          key={scene.id}
          class={classes("scene-row", dragged === index && "dragged")}
          draggable={onChange !== undefined}
          onMouseEnter={() => onPoint?.(scene.id)}
          onFocusCapture={() => onPoint?.(scene.id)}
          onDragStart={() => setDragged(index)}
          onDragEnd={() => setDragged(null)}
          onDragOver={(event) => {
            event.preventDefault();
            if (dragged === null || dragged === index) return;
            onChange?.(moved(scenes, dragged, index));
            setDragged(index);
          }}
        >
          <span class="scene-number muted numeric">{index + 1}</span>
          <div class="scene-name">
            <a href={scene.url} class="truncate" title={scene.name} draggable={false}>
              {scene.name}
            </a>
            <span class="muted small-text">{sceneFacts(scene)}</span>
          </div>
          {onChange && (
            <>
              <span data-move="up">
                <IconButton small icon="up" label={`Move ${scene.name} up`} disabled={index === 0} onClick={() => move(index, index - 1)} />
              </span>
              <span data-move="down">
                <IconButton
                  small
                  icon="down"
                  label={`Move ${scene.name} down`}
                  disabled={index === scenes.length - 1}
                  onClick={() => move(index, index + 1)}
                />
              </span>
              <IconButton
                small
                icon="close"
                label={`Take ${scene.name} out`}
                onClick={() => onChange(scenes.filter((_, at) => at !== index))}
              />
            </>
          )}
        </li>
      ))}
    </ol>
  );
}
