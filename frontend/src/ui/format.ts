// Numbers, times and sizes for people.

const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

/** 12345.678 -> "12,345.68"; `digits` fixes the decimals; no number -> "–". */
export function number(value: number | null | undefined, digits?: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (digits === undefined) return plain.format(value);
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** 0.8312 -> "83.1 %". */
export function percent(fraction: number | null | undefined, digits = 1): string {
  return fraction === null || fraction === undefined ? "–" : `${number(fraction * 100, digits)} %`;
}

/** Bytes in decimal units: 1536000 -> "1.5 MB". */
export function bytes(count: number | null | undefined): string {
  if (count === null || count === undefined) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toPrecision(2))} ${units[unit] ?? ""}`;
}

/** Seconds: 0.4 -> "0.4 s", 75 -> "1 min 15 s", 7300 -> "2 h 1 min". */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
  const minutes = Math.floor((whole % 3600) / 60);
  const hours = Math.floor(whole / 3600);
  return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
}

/** An ISO time in the reader's zone: "22 Nov 2026, 14:05". */
export function date(iso: string | null | undefined): string {
  if (!iso) return "–";
  return new Date(iso).toLocaleString("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
}

/** How long ago: "just now", "5 min ago", "3 h ago", "2 d ago", then the date. */
export function ago(iso: string | null | undefined, now: number = Date.now()): string {
  if (!iso) return "–";
  const seconds = (now - new Date(iso).getTime()) / 1000;
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  if (seconds < 7 * 86_400) return `${Math.round(seconds / 86_400)} d ago`;
  return new Date(iso).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

/** Square metres: "14.2 m²", "3.1 ha", "12.5 km²". */
export function area(m2: number | null | undefined): string {
  if (m2 === null || m2 === undefined || !Number.isFinite(m2)) return "–";
  if (m2 < 10_000) return `${number(m2, m2 < 100 ? 1 : 0)} m²`;
  if (m2 < 1_000_000) return `${number(m2 / 10_000, 1)} ha`;
  return `${number(m2 / 1_000_000, 1)} km²`;
}

/** 1 -> "1 feature", 2 -> "2 features". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** Metres: "12.4 m", "3.21 km". */
export function metres(value: number): string {
  if (value < 1000) return `${number(value, value < 100 ? 1 : 0)} m`;
  return `${number(value / 1000, value < 100_000 ? 2 : 0)} km`;
}
