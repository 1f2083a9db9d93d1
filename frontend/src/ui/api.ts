// The one road to the HTTP API: JSON in, JSON out, every failure an ApiError.

/** A failure of a call. `status` 0 means that the server was not reached. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fix = "",
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
  headers?: Record<string, string> | undefined;
}

/** Return the value of a cookie, or "" where there is none. */
export function cookie(name: string): string {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}

function isRaw(body: unknown): body is Blob | FormData | ArrayBuffer {
  return body instanceof Blob || body instanceof FormData || body instanceof ArrayBuffer;
}

function errorOf(status: number, body: unknown): ApiError {
  const told = (typeof body === "object" && body !== null ? body : {}) as Partial<Record<string, unknown>>;
  const text = (key: string, otherwise: string): string => (typeof told[key] === "string" ? told[key] : otherwise);
  return new ApiError(
    status,
    text("code", "error"),
    text("message", `The server answered ${status}.`),
    text("fix", status >= 500 ? "Try again in a moment." : ""),
    (told["details"] as Record<string, unknown> | undefined) ?? {},
  );
}

/** Call the API and return its JSON (undefined for an empty answer). */
export async function call<T>(method: string, url: string, body?: unknown, options: CallOptions = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
  if (method !== "GET") headers["X-CSRFToken"] = cookie("csrftoken");
  const raw = isRaw(body);
  if (body !== undefined && !raw) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      credentials: "same-origin",
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "offline", "The server cannot be reached.", "Check your connection and try again.");
  }
  const text = await response.text();
  let parsed: unknown;
  try {
    parsed = text === "" ? undefined : JSON.parse(text);
  } catch {
    if (response.ok) throw new ApiError(response.status, "bad_answer", "The server's answer is not JSON.");
  }
  if (!response.ok) throw errorOf(response.status, parsed);
  return parsed as T;
}

/** Read. */
export const get = <T>(url: string, options?: CallOptions): Promise<T> => call<T>("GET", url, undefined, options);
/** Create, or start something. */
export const post = <T>(url: string, body?: unknown, options?: CallOptions): Promise<T> => call<T>("POST", url, body, options);
/** Change some fields. */
export const patch = <T>(url: string, body?: unknown, options?: CallOptions): Promise<T> => call<T>("PATCH", url, body, options);
/** Replace. */
export const put = <T>(url: string, body?: unknown, options?: CallOptions): Promise<T> => call<T>("PUT", url, body, options);
/** Delete. */
export const del = <T = void>(url: string, options?: CallOptions): Promise<T> => call<T>("DELETE", url, undefined, options);

/** Return any thrown thing as an ApiError, for showing. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, "error", error instanceof Error ? error.message : String(error));
}
