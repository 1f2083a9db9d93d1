// Waiting for a connection.
const LONGEST_MS = 5 * 60_000;

/** Return after so many milliseconds; where the browser has no connection by then, when it has one, at most 5 minutes later. */
export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  if (navigator.onLine) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      window.removeEventListener("online", end);
      resolve();
    };
    const timer = setTimeout(end, LONGEST_MS);
    window.addEventListener("online", end);
  });
}
