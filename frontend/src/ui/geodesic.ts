// Lengths and areas on the WGS 84 ellipsoid. Positions are [lon, lat] in degrees.
export type LonLat = readonly [number, number];

const A = 6_378_137;
const F = 1 / 298.257223563;
const B = A * (1 - F);
const E2 = F * (2 - F);
const E = Math.sqrt(E2);
const MOST_ROUNDS = 200;

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

/** Metres along the shortest way: Vincenty's inverse formula (Survey Review 176, 1975); nearly opposite points, where it does not settle, on the sphere. */
export function distance(from: LonLat, to: LonLat): number {
  const along = radians(to[0] - from[0]);
  const [u1, u2] = [from, to].map(([, lat]) => Math.atan((1 - F) * Math.tan(radians(lat)))) as [number, number];
  const [s1, c1, s2, c2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
  let lambda = along;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const [sinL, cosL] = [Math.sin(lambda), Math.cos(lambda)];
    const sinS = Math.hypot(c2 * sinL, c1 * s2 - s1 * c2 * cosL);
    if (sinS === 0) return 0;
    const cosS = s1 * s2 + c1 * c2 * cosL;
    const sigma = Math.atan2(sinS, cosS);
    const sinAlpha = (c1 * c2 * sinL) / sinS;
    const cos2Alpha = 1 - sinAlpha ** 2;
    const cos2Mid = cos2Alpha === 0 ? 0 : cosS - (2 * s1 * s2) / cos2Alpha;
    const c = (F / 16) * cos2Alpha * (4 + F * (4 - 3 * cos2Alpha));
    const before = lambda;
    lambda = along + (1 - c) * F * sinAlpha * (sigma + c * sinS * (cos2Mid + c * cosS * (2 * cos2Mid ** 2 - 1)));
    if (Math.abs(lambda - before) > 1e-12) continue;
    const k = (cos2Alpha * (A ** 2 - B ** 2)) / B ** 2;
    const a = 1 + (k / 16384) * (4096 + k * (-768 + k * (320 - 175 * k)));
    const b = (k / 1024) * (256 + k * (-128 + k * (74 - 47 * k)));
    const third = (b / 6) * cos2Mid * (4 * sinS ** 2 - 3) * (4 * cos2Mid ** 2 - 3);
    const delta = b * sinS * (cos2Mid + (b / 4) * (cosS * (2 * cos2Mid ** 2 - 1) - third));
    return B * a * (sigma - delta);
  }
  return sphere(from, to) * 6_371_008.8;
}

function sphere(from: LonLat, to: LonLat): number {
  const [p1, p2] = [radians(from[1]), radians(to[1])];
  const h = Math.sin((p2 - p1) / 2) ** 2 + Math.cos(p1) * Math.cos(p2) * Math.sin(radians(to[0] - from[0]) / 2) ** 2;
  return 2 * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Metres along all points. */
export function lengthOf(points: readonly LonLat[]): number {
  return points.slice(1).reduce((sum, point, index) => sum + distance(points[index] ?? point, point), 0);
}

/** Points on the great circle between two, both ends with them, no two further apart than `step` radians. */
export function between(from: LonLat, to: LonLat, step: number): LonLat[] {
  const angle = sphere(from, to);
  const count = Math.max(1, Math.ceil(angle / step));
  if (count === 1) return [from, to];
  const [a, b] = [from, to].map(([lon, lat]) => [Math.cos(radians(lat)) * Math.cos(radians(lon)), Math.cos(radians(lat)) * Math.sin(radians(lon)), Math.sin(radians(lat))]) as [number[], number[]];
  let last = from[0];
  return Array.from({ length: count + 1 }, (_, index): LonLat => {
    if (index === 0) return from;
    if (index === count) return to;
    const [wa, wb] = [Math.sin((1 - index / count) * angle), Math.sin((index / count) * angle)];
    const [x, y, z] = [0, 1, 2].map((k) => wa * (a[k] ?? 0) + wb * (b[k] ?? 0)) as [number, number, number];
    let lon = (Math.atan2(y, x) * 180) / Math.PI;
    lon += 360 * Math.round((last - lon) / 360);
    last = lon;
    return [lon, (Math.atan2(z, Math.hypot(x, y)) * 180) / Math.PI];
  });
}

/** Area between the equator and a latitude, over a radian of longitude and A squared / 2: Snyder, Map Projections, 3-12. */
function q(lat: number): number {
  const s = Math.sin(radians(lat));
  return (1 - E2) * (s / (1 - E2 * s * s) - (1 / (2 * E)) * Math.log((1 - E * s) / (1 + E * s)));
}

// Edges are cut into pieces of at most 13 km; the error of a straight piece falls with its square.
const PIECE = 0.002;

/** Square metres inside a ring whose edges are shortest ways; the last point joins the first. Rings around a pole are not meant. */
export function areaOf(ring: readonly LonLat[]): number {
  const first = ring[0];
  if (!first || ring.length < 3) return 0;
  const q0 = q(first[1]);
  let sum = 0;
  ring.forEach((from, index) => {
    const to = ring[(index + 1) % ring.length] ?? first;
    const pieces = between(from, to, PIECE);
    for (let i = 1; i < pieces.length; i++) {
      const [a, b] = [pieces[i - 1] ?? from, pieces[i] ?? to];
      // Simpson's rule over the piece: q bends.
      const height = (q(a[1]) - q0 + 4 * (q((a[1] + b[1]) / 2) - q0) + q(b[1]) - q0) / 6;
      sum += radians(b[0] - a[0]) * height;
    }
  });
  return Math.abs((sum * A * A) / 2);
}
