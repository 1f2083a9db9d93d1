import { expect, test } from "vitest";
import { ago, area, bytes, duration, number, percent, plural } from "../../src/ui/format";

test("bytes are told in decimal units with two figures", () => {
  expect([0, 999, 1000, 1_536_000, 27_600_000, 123_456_789, 1e13].map((count) => bytes(count))).toEqual([
    "0 B", "999 B", "1 kB", "1.5 MB", "28 MB", "123 MB", "10 TB",
  ]);
  expect(bytes(999_600)).toBe("1 MB");
  expect(bytes(null)).toBe("–");
});

test("durations use the two largest units", () => {
  expect([0.42, 9.96, 59.4, 60, 75, 3600, 7300].map((seconds) => duration(seconds))).toEqual([
    "0.4 s", "10 s", "59 s", "1 min", "1 min 15 s", "1 h", "2 h 1 min",
  ]);
  expect(duration(null)).toBe("–");
});

test("areas grow from square metres over hectares to square kilometres", () => {
  expect([14.24, 5300, 31_000, 12_500_000].map((m2) => area(m2))).toEqual(["14.2 m²", "5,300 m²", "3.1 ha", "12.5 km²"]);
});

test("numbers, shares and counts", () => {
  expect(number(12345.678)).toBe("12,345.68");
  expect(number(2, 2)).toBe("2.00");
  expect(number(Number.NaN)).toBe("–");
  expect(percent(0.8312)).toBe("83.1 %");
  expect([plural(1, "feature"), plural(1200, "feature")]).toEqual(["1 feature", "1,200 features"]);
});

test("times are told as how long ago, then as a date", () => {
  const now = Date.parse("2026-11-22T12:00:00Z");
  expect(ago("2026-11-22T11:59:50Z", now)).toBe("just now");
  expect(ago("2026-11-22T11:40:00Z", now)).toBe("20 min ago");
  expect(ago("2026-11-22T07:00:00Z", now)).toBe("5 h ago");
  expect(ago("2026-11-19T12:00:00Z", now)).toBe("3 d ago");
  expect(ago("2026-10-01T12:00:00Z", now)).toBe("1 Oct 2026");
});
