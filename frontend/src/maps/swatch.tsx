// Small pictures of how features are drawn: the legend shows exactly the strokes of the map.
import type { JSX } from "preact";
import { CORNERS } from "../ui/vector-paint";
import { FILL, LINE, RADIUS } from "./style";
import type { FeatureStyle } from "./style";

const SIDE = 18;

/** What the layer holds, as far as its tiles were seen: 1 points, 2 lines, 3 polygons. */
export type GeometryTypes = readonly number[];

function Point({ style, colour }: { style: FeatureStyle; colour: string }): JSX.Element {
  const radius = Math.min(style.radius ?? RADIUS, SIDE / 2 - 2);
  const symbol = style.symbol ?? "circle";
  if (symbol === "circle") return <circle cx={SIDE / 2} cy={SIDE / 2} r={radius} fill={colour} stroke="#ffffff" />;
  const points = CORNERS[symbol].map(([x, y]) => `${SIDE / 2 + x * radius * 0.9},${SIDE / 2 + y * radius * 0.9}`).join(" ");
  return <polygon points={points} fill={colour} stroke="#ffffff" />;
}

/** A polygon, a line or a point in the style and a colour. */
export function Swatch({ style, colour, types }: { style: FeatureStyle; colour: string; types: GeometryTypes }): JSX.Element {
  const line = Math.min(style.line ?? LINE, 5);
  const outline = { stroke: colour, "stroke-width": line };
  return (
    <svg class="style-swatch" viewBox={`0 0 ${SIDE} ${SIDE}`} width={SIDE} height={SIDE} aria-hidden="true">
      {(types.length === 0 || types.includes(3)) && (
        <rect x="3" y="3" width={SIDE - 6} height={SIDE - 6} fill={colour} fill-opacity={style.fill ?? FILL} {...outline} />
      )}
      {!types.includes(3) && types.includes(2) && <path d={`M2 ${SIDE - 4} 7 6 11 12 ${SIDE - 2} 3`} fill="none" {...outline} />}
      {types.includes(1) && !types.includes(3) && <Point style={style} colour={colour} />}
    </svg>
  );
}
