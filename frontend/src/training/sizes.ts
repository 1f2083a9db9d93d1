// Chip sizes that networks take.
export const SIZES: readonly number[] = [64, 96, 128, 160, 192, 224, 256, 320, 384, 512, 768, 1024];
const FEWEST_CHIPS = 24;

/** The largest chip up to 256 px of which the imagery holds some dozen; else the smallest. */
export function suggestedSize(width: number, height: number): number {
  const fits = (size: number): boolean => size <= 256 && (width / size) * (height / size) >= FEWEST_CHIPS;
  return [...SIZES].reverse().find(fits) ?? 64;
}

/** The stride in pixels for an overlap from 0 to below 1. */
export function strideOf(size: number, overlap: number): number {
  return Math.max(1, Math.round(size * (1 - overlap)));
}
