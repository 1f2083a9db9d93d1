// The style of a feature layer: colours, outlines, points, labels. Every change is seen at once.
import type { JSX } from "preact";
import { Field, Select, Slider } from "../ui/components";
import { fieldName } from "./legend-text";
import { Graduated } from "./style-graduated";
import { FILL, LABEL_SIZE, LINE, RADIUS, SINGLE } from "./style";
import type { FeatureStyle } from "./style";
import type { GeometryTypes } from "./swatch";
import type { FeaturesRow } from "./types";

export interface StyleProps {
  map: string;
  row: FeaturesRow;
  style: FeatureStyle;
  types: GeometryTypes;
  /** `burst` names what is dragged: its many changes are one step back. */
  onChange: (style: FeatureStyle, burst?: string) => void;
}

/** Fields that hold numbers: score and area, and those of the layer. */
export function numberFields(row: FeaturesRow): string[] {
  const own = row.features.fields.filter((field) => field.type === "number" || field.type === "integer");
  return ["score", "area_m2", ...own.map((field) => field.name)];
}

function Colours(props: StyleProps): JSX.Element {
  const { row, style, onChange } = props;
  const by = style.by ?? "class";
  const options = [
    { value: "class", label: "Class" },
    { value: "single", label: "One colour" },
    ...numberFields(row).map((field) => ({ value: `field:${field}`, label: fieldName(field) })),
  ];
  const choose = (value: string): void => {
    if (!value.startsWith("field:")) onChange({ ...style, by: value as "class" | "single" });
    // Steps follow when the values are here.
    else onChange({ ...style, by: "graduated", field: value.slice(6), colours: [SINGLE], breaks: [], method: "quantile" });
  };
  return (
    <>
      <Select label="Colour by" value={by === "graduated" ? `field:${style.field}` : by} options={options} onChange={choose} />
      {by === "single" && (
        <Field label="Colour">
          {(aria) => (
            <input
              class="colour-input"
              type="color"
              value={style.colour ?? SINGLE}
              onInput={(event) => onChange({ ...style, colour: event.currentTarget.value }, "colour")}
              {...aria}
            />
          )}
        </Field>
      )}
      {by === "class" && <p class="muted small-text">Class colours belong to the class schema: every map shows the same.</p>}
      {by === "graduated" && <Graduated key={style.field} {...props} />}
    </>
  );
}

function Points({ style, onChange }: StyleProps): JSX.Element {
  const symbols = ["circle", "square", "triangle", "diamond", "cross"] as const;
  return (
    <>
      <Select
        label="Point symbol"
        value={style.symbol ?? "circle"}
        options={symbols.map((value) => ({ value, label: value[0]?.toUpperCase() + value.slice(1) }))}
        onChange={(value) => onChange({ ...style, symbol: symbols.find((symbol) => symbol === value) ?? "circle" })}
      />
      <Slider
        label="Point size"
        value={style.radius ?? RADIUS}
        min={1}
        max={20}
        step={0.5}
        said={`${(style.radius ?? RADIUS) * 2} px`}
        onChange={(radius) => onChange({ ...style, radius }, "radius")}
      />
    </>
  );
}

function LabelChoice({ row, style, onChange }: StyleProps): JSX.Element {
  const fields = ["score", "area_m2", ...row.features.fields.map((field) => field.name)];
  const options = [
    { value: "", label: "None" },
    { value: "class", label: "Class" },
    ...fields.map((field) => ({ value: field, label: fieldName(field) })),
  ];
  return (
    <>
      <Select label="Labels" value={style.label ?? ""} options={options} onChange={(label) => onChange({ ...style, label })} />
      {style.label && (
        <Slider
          label="Label size"
          value={style.label_size ?? LABEL_SIZE}
          min={9}
          max={28}
          step={1}
          said={`${style.label_size ?? LABEL_SIZE} px`}
          onChange={(label_size) => onChange({ ...style, label_size }, "label_size")}
        />
      )}
    </>
  );
}

/** All of it. */
export function FeatureStyleForm(props: StyleProps): JSX.Element {
  const { style, types, onChange } = props;
  const fill = style.fill ?? FILL;
  const line = style.line ?? LINE;
  return (
    <>
      <Colours {...props} />
      {(types.length === 0 || types.includes(3)) && (
        <Slider label="Fill" value={fill} min={0} max={1} step={0.05} said={`${Math.round(fill * 100)} %`} onChange={(value) => onChange({ ...style, fill: value }, "fill")} />
      )}
      {!(types.length === 1 && types[0] === 1) && (
        <Slider label="Outline" value={line} min={0} max={8} step={0.5} said={line === 0 ? "none" : `${line} px`} onChange={(value) => onChange({ ...style, line: value }, "line")} />
      )}
      {types.includes(1) && <Points {...props} />}
      <LabelChoice {...props} />
    </>
  );
}
