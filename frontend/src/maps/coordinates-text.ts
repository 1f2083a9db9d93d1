// Coordinates as people type them. Pure.

export interface TypedPlace {
  lat: number;
  lon: number;
}

const NUMBER = String.raw`[+-]?\d+(?:\.\d+)?`;
const PAIR = new RegExp(`^(${NUMBER})\\s*[,;\\s]\\s*(${NUMBER})$`);
const PART = new RegExp(
  String.raw`^([NSEW])?\s*(${NUMBER})\s*(?:°|d|\s)?\s*(?:(\d+(?:\.\d+)?)\s*(?:['′m]|\s)?\s*)?(?:(\d+(?:\.\d+)?)\s*(?:["″s]|'')?\s*)?([NSEW])?$`,
  "i",
);

function partOf(text: string): { degrees: number; side: string } | null {
  const found = PART.exec(text.trim());
  if (!found) return null;
  const [, before, whole = "0", minutes = "0", seconds = "0", after] = found;
  if (Number(minutes) >= 60 || Number(seconds) >= 60 || (before && after)) return null;
  const size = Math.abs(Number(whole)) + Number(minutes) / 60 + Number(seconds) / 3600;
  const side = (before ?? after ?? "").toUpperCase();
  const turned = whole.startsWith("-") !== (side === "S" || side === "W");
  return { degrees: turned ? -size : size, side };
}

function checked(lat: number, lon: number): TypedPlace | null {
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { lat, lon } : null;
}

/** Read "27.63, 85.52", "27°37'48\"N 85°31'12\"E", "N 27 37.8, E 85 31.2" or "85.52E 27.63N"; plain numbers are latitude first. */
export function coordinatesOf(text: string): TypedPlace | null {
  const plain = PAIR.exec(text.trim());
  if (plain) return checked(Number(plain[1]), Number(plain[2]));
  const cleaned = text.trim().replaceAll("º", "°");
  const halves = cleaned.includes(",") ? cleaned.split(",") : (/^(.*?[NSEW])\s*(.+)$/i.exec(cleaned)?.slice(1) ?? []);
  const lead = /^([NSEW].*?)\s*([NSEW].*)$/i.exec(cleaned)?.slice(1);
  for (const parts of [halves, lead ?? []]) {
    if (parts.length !== 2) continue;
    const [a, b] = [partOf(parts[0] ?? ""), partOf(parts[1] ?? "")];
    if (!a || !b) continue;
    if ("EW".includes(a.side || "-") && "NS".includes(b.side || "-")) return checked(b.degrees, a.degrees);
    if (!"EW".includes(a.side || "-") && !"NS".includes(b.side || "-")) return checked(a.degrees, b.degrees);
  }
  return null;
}
