// Rows of a list that the server holds.
import { useEffect, useState } from "preact/hooks";
import { asApiError, get } from "./api";
import type { ApiError } from "./api";

export interface Rows<T> {
  /** null until the first answer. */
  rows: T[] | null;
  error: ApiError | null;
  load: () => void;
}

/** The `results` of a list's address, loaded at once and again when `load` is called. */
export function useRows<T>(url: string): Rows<T> {
  const [rows, setRows] = useState<T[] | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const load = (): void => {
    get<{ results: T[] }>(url).then(
      (answer) => {
        setRows(answer.results);
        setError(null);
      },
      (failure: unknown) => setError(asApiError(failure)),
    );
  };
  useEffect(load, [url]);
  return { rows, error, load };
}
