// The panel of one layer: its style and its filter, in place of the layer list.
import type { JSX } from "preact";
import { ImageryStyleForm } from "../look/form";
import type { ImageryStyle } from "../look/picture";
import { IconButton, Tabs } from "../ui/components";
import type { Bounds } from "../ui/map";
import { FilterForm } from "./filter-form";
import { featureStyle } from "./style";
import type { Filter } from "./style";
import { FeatureStyleForm } from "./style-features";
import type { GeometryTypes } from "./swatch";
import { titleOf } from "./types";
import type { LayerRow, MapJson } from "./types";

export type Part = "style" | "filter";

interface SettingsProps {
  map: MapJson;
  row: LayerRow;
  part: Part;
  filter: Filter;
  types: GeometryTypes;
  view: () => Bounds | null;
  onPart: (part: Part) => void;
  onStyle: (style: object, burst?: string) => void;
  onFilter: (filter: Filter) => void;
  onClose: () => void;
}

/** Style and filter of a layer. */
export function Settings(props: SettingsProps): JSX.Element {
  const { map, row, part, filter, types, onStyle } = props;
  const tabs = [
    ...(map.can_edit ? [{ id: "style", label: "Style" }] : []),
    ...(row.kind === "features" ? [{ id: "filter", label: "Filter" }] : []),
  ];
  return (
    <section class="settings" aria-label={`${part === "style" ? "Style" : "Filter"} of ${titleOf(row)}`}>
      <header class="settings-head">
        <IconButton label="Back to the layers" icon="left" onClick={props.onClose} />
        <h3 class="truncate" title={titleOf(row)}>
          {titleOf(row)}
        </h3>
      </header>
      {tabs.length > 1 && <Tabs label="What to set" tabs={tabs} selected={part} onSelect={(id) => props.onPart(id === "style" ? "style" : "filter")} />}
      <div class="settings-body">
        {part === "style" && row.kind === "features" && <FeatureStyleForm map={map.id} row={row} style={featureStyle(row)} types={types} onChange={onStyle} />}
        {part === "style" && row.kind !== "features" && <ImageryStyleForm row={row} style={row.style as ImageryStyle} onChange={onStyle} view={props.view} />}
        {part === "filter" && row.kind === "features" && (
          <>
            <FilterForm map={map.id} row={row} filter={filter} onChange={props.onFilter} />
            {map.can_edit && <p class="muted small-text">“Save view” keeps the filter for everybody who opens this map.</p>}
          </>
        )}
      </div>
    </section>
  );
}
