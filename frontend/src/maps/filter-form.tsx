// Which features of a layer are shown: by class, score and fields. The tiles are not asked for again.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../ui/api";
import { Button, Checkbox, ErrorNote, Icon, IconButton, RangeSlider, Select, Spinner } from "../ui/components";
import { number } from "../ui/format";
import { fieldName } from "./legend-text";
import type { Condition, Filter, Value } from "./style";
import { filters } from "./style";
import type { FeaturesRow } from "./types";

interface FilterProps {
  map: string;
  row: FeaturesRow;
  filter: Filter;
  onChange: (filter: Filter) => void;
}

function without(filter: Filter, key: keyof Filter): Filter {
  return Object.fromEntries(Object.entries(filter).filter(([name]) => name !== key));
}

interface ConditionProps {
  map: string;
  row: FeaturesRow;
  condition: Condition;
  onChange: (condition: Condition) => void;
  onRemove: () => void;
}

/** What the server says of a field: the ends of its numbers, or its most frequent values of `kinds`. */
type Summary = { every: number } & ({ type: "integer" | "number"; count: number; min: number; max: number } | { type: "string" | "boolean"; count: number; kinds: number; choices: [Value, number][] });

function ConditionForm({ map, row, condition, onChange, onRemove }: ConditionProps): JSX.Element {
  const [column, setColumn] = useState<Summary | null>(null);
  const [error, setError] = useState<unknown>(null);
  const { field } = condition;
  useEffect(() => {
    const stop = new AbortController();
    get<Summary>(`/api/maps/${map}/layers/${row.id}/column/summary?field=${encodeURIComponent(field)}`, { signal: stop.signal })
      .then(setColumn)
      .catch((failure: unknown) => {
        if (!stop.signal.aborted) setError(failure);
      });
    return () => stop.abort();
  }, [map, row.id, field]);
  const name = fieldName(field);
  return (
    <div class="condition">
      <div class="condition-head">
        <strong>{name}</strong>
        <IconButton label={`Remove the filter by ${name}`} icon="close" small onClick={onRemove} />
      </div>
      {error !== null && <ErrorNote error={error} />}
      {column === null && error === null && <Spinner />}
      {column && column.every > 1 && <p class="muted small-text">From every {column.every}th feature.</p>}
      {column?.count === 0 && <p class="muted small-text">No feature has a value here.</p>}
      {column && column.count > 0 && "min" in column && "range" in condition && <NumberCondition column={column} condition={condition} onChange={onChange} />}
      {column && "choices" in column && "values" in condition && <ChoiceCondition column={column} condition={condition} onChange={onChange} />}
    </div>
  );
}

function NumberCondition(props: { column: Extract<Summary, { min: number }>; condition: Extract<Condition, { range: unknown }>; onChange: (condition: Condition) => void }): JSX.Element {
  const { condition, onChange } = props;
  const { type, min, max } = props.column;
  const step = type === "integer" ? 1 : 10 ** Math.floor(Math.log10((max - min || 1) / 200));
  // An end at the border is open: features that come later with a larger value are shown too.
  const [low, high] = [condition.range[0] ?? min, condition.range[1] ?? max];
  return (
    <RangeSlider
      label={fieldName(condition.field)}
      low={low}
      high={high}
      min={Math.floor(min / step) * step}
      max={Math.ceil(max / step) * step}
      step={step}
      said={(value) => number(value)}
      onChange={(from, to) => onChange({ field: condition.field, range: [from <= min ? null : from, to >= max ? null : to] })}
    />
  );
}

function ChoiceCondition(props: { column: Extract<Summary, { kinds: number }>; condition: Extract<Condition, { values: unknown }>; onChange: (condition: Condition) => void }): JSX.Element {
  const { condition, onChange } = props;
  const { choices, kinds } = props.column;
  return (
    <ul class="legend">
      {choices.map(([value, count]) => (
        <li key={String(value)}>
          <Checkbox
            label={String(value)}
            checked={condition.values.includes(value)}
            onChange={(on) => onChange({ field: condition.field, values: on ? [...condition.values, value] : condition.values.filter((other) => other !== value) })}
          />
          <span class="muted numeric small-text">{number(count)}</span>
        </li>
      ))}
      {kinds > choices.length && <li class="muted small-text">and {number(kinds - choices.length)} rarer values</li>}
    </ul>
  );
}

/** The whole filter. */
export function FilterForm({ map, row, filter, onChange }: FilterProps): JSX.Element {
  const conditions = filter.fields ?? [];
  const [low, high] = filter.score ?? [null, null];
  const free = [{ name: "area_m2", type: "number" }, ...row.features.fields].filter((field) => !conditions.some((item) => item.field === field.name));
  const setConditions = (next: Condition[]): void => onChange(next.length > 0 ? { ...filter, fields: next } : without(filter, "fields"));
  return (
    <>
      <RangeSlider
        label="Score"
        low={low ?? 0}
        high={high ?? 1}
        min={0}
        max={1}
        step={0.01}
        said={(value) => `${Math.round(value * 100)} %`}
        onChange={(from, to) => onChange(from === 0 && to === 1 ? without(filter, "score") : { ...filter, score: [from === 0 ? null : from, to === 1 ? null : to] })}
      />
      <p class="muted small-text">Features without a score, such as those that people drew, are shown while the range is whole.</p>
      {conditions.map((condition) => (
        <ConditionForm
          key={condition.field}
          map={map}
          row={row}
          condition={condition}
          onChange={(next) => setConditions(conditions.map((old) => (old.field === next.field ? next : old)))}
          onRemove={() => setConditions(conditions.filter((old) => old !== condition))}
        />
      ))}
      {free.length > 0 && (
        <Select
          label="Filter by another field"
          value=""
          options={[{ value: "", label: "Choose a field" }, ...free.map(({ name }) => ({ value: name, label: fieldName(name) }))]}
          onChange={(name) => {
            const type = free.find((field) => field.name === name)?.type;
            if (type) setConditions([...conditions, type === "number" || type === "integer" ? { field: name, range: [null, null] } : { field: name, values: [] }]);
          }}
        />
      )}
      {filters(filter) && (
        <Button small onClick={() => onChange({})}>
          <Icon name="close" /> Show all features
        </Button>
      )}
    </>
  );
}
