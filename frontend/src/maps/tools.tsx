// The tools of the map: a column of buttons, and the card of the one that is open.
import type { JSX } from "preact";
import { IconButton } from "../ui/components";
import type { IconName } from "../ui/components";
import { CompareCard, firstCompare } from "./compare-card";
import { FindCard } from "./find-card";
import { MeasureCard } from "./measure-card";
import { NotesCard } from "./notes";
import type { Stage } from "./stage";
import type { Place } from "./state";
import type { Compare } from "./swipe";
import type { MapJson } from "./types";

export type Tool = "find" | "measure" | "compare" | "notes";

interface ToolsProps {
  map: MapJson;
  stage: Stage | null;
  place: Place | null;
  tool: Tool | null;
  compare: Compare | null;
  /** Whether the map has imagery of several moments; null where it has not. */
  timed: boolean | null;
  onTool: (tool: Tool | null) => void;
  onCompare: (compare: Compare | null) => void;
  onTime: () => void;
  onPrint: () => void;
  onSaved: (map: MapJson) => void;
}

const BUTTONS: readonly { tool: Tool; label: string; icon: IconName }[] = [
  { tool: "find", label: "Find a place or bookmark", icon: "search" },
  { tool: "measure", label: "Measure", icon: "ruler" },
  { tool: "compare", label: "Compare", icon: "columns" },
  { tool: "notes", label: "Notes", icon: "note" },
];

/** Buttons and card. */
export function Tools(props: ToolsProps): JSX.Element {
  const { map, stage, tool, compare, onTool } = props;
  const close = (): void => onTool(null);
  const choose = (next: Tool): void => {
    if (next === "compare") props.onCompare(tool === "compare" ? null : (compare ?? firstCompare(map.layers)));
    onTool(tool === next ? null : next);
  };
  return (
    <>
      <div class="map-tools" role="toolbar" aria-label="Tools" aria-orientation="vertical">
        {BUTTONS.map((button) => (
          <IconButton key={button.tool} label={button.label} icon={button.icon} pressed={tool === button.tool} onClick={() => choose(button.tool)} />
        ))}
        {props.timed !== null && <IconButton label="Time" icon="clock" pressed={props.timed} onClick={props.onTime} />}
        <IconButton label="Print" icon="print" onClick={props.onPrint} />
      </div>
      {stage && tool === "find" && <FindCard map={map} stage={stage} place={props.place} onSaved={props.onSaved} onClose={close} />}
      {stage && tool === "measure" && <MeasureCard stage={stage} onClose={close} />}
      {stage && tool === "notes" && <NotesCard map={map} stage={stage} onSaved={props.onSaved} onClose={close} />}
      {tool === "compare" && (
        <CompareCard
          rows={map.layers}
          compare={compare}
          onChange={props.onCompare}
          onClose={() => {
            props.onCompare(null);
            close();
          }}
        />
      )}
    </>
  );
}
