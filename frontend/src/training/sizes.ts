// Chip sizes that networks take.
export const SIZES: readonly number[] = [64, 96, 128, 160, 192, 224, 256, 320, 384, 512, 768, 1024];
const FEWEST_CHIPS = 24;

export interface Cutting {
  size: number;
  /** Share of a chip that its neighbour has too. */
  overlap: number;
}

/**
 * The largest chip up to 256 px of which the imagery holds two dozen. In small imagery chips overlap by half, so that
 * they need not be smaller than what they shall show; 64 px where even that is too much.
 */
export function suggestedCutting(width: number, height: number): Cutting {
  const count = (size: number, overlap: number): number => {
    const along = (length: number): number => Math.max(0, Math.floor((length - size) / strideOf(size, overlap)) + 1);
    return along(width) * along(height);
  };
  for (const overlap of [0, 0.5]) {
    const size = [...SIZES].reverse().find((px) => px >= 128 && px <= 256 && count(px, overlap) >= FEWEST_CHIPS);
    if (size !== undefined) return { size, overlap };
  }
  return { size: [...SIZES].reverse().find((px) => px < 128 && count(px, 0.5) >= FEWEST_CHIPS) ?? 64, overlap: 0.5 };
}

/** The stride in pixels for an overlap from 0 to below 1. */
export function strideOf(size: number, overlap: number): number {
  return Math.max(1, Math.round(size * (1 - overlap)));
}
