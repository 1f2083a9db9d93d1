// The shape of a histogram in a box of WIDTH x HEIGHT.

export const WIDTH = 256;
export const HEIGHT = 56;

/** The outline of a histogram in a box of WIDTH x HEIGHT; high single bins are cut so that the rest is seen. */
export function outline(counts: readonly number[]): string {
  const sorted = [...counts].sort((a, b) => a - b);
  const top = Math.max(1, (sorted[Math.floor(sorted.length * 0.99)] ?? 1) * 1.1);
  const step = WIDTH / counts.length;
  const points = counts.map((count, index) => {
    const y = (HEIGHT * (1 - Math.min(1, count / top))).toFixed(1);
    return `${(index * step).toFixed(1)},${y} ${((index + 1) * step).toFixed(1)},${y}`;
  });
  return `0,${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`;
}

/** Where a value lies on the histogram's axis. */
export function place(value: number, edges: readonly number[]): number {
  const low = edges[0] ?? 0;
  const high = edges.at(-1) ?? 1;
  return Math.min(WIDTH, Math.max(0, ((value - low) / (high - low || 1)) * WIDTH));
}
