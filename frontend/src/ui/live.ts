// A socket that comes back by itself: jittered backoff, no attempt where the server refused for good.

export type LiveState = "live" | "connecting" | "offline";

export interface LiveHandlers<M> {
  /** One JSON message from the server. */
  onMessage: (message: M) => void;
  /** The connection's state changed; at every "live", say hello again and catch up. */
  onState?: ((state: LiveState) => void) | undefined;
  /** The server refused for good: 4401 sign in, 4403 not allowed, 4404 no such thing. */
  onRefused?: ((code: number) => void) | undefined;
}

export interface Live {
  /** Send a JSON message; false where the socket is not open (nothing is queued: the log is the truth). */
  send: (message: unknown) => boolean;
  /** Close for good. */
  stop: () => void;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 20_000;
const REFUSALS = new Set([4401, 4403, 4404]);

/** Return how long to wait before attempt n (0, 1, …): full jitter, so that clients do not come back as one. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  return ceiling / 4 + random() * ceiling * 0.75;
}

/** Open a socket on this site's origin and keep it open. */
export function openLive<M = Record<string, unknown>>(path: string, handlers: LiveHandlers<M>): Live {
  const url = new URL(path, window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  let socket: WebSocket | null = null;
  let state: LiveState | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;
  let stopped = false;

  const setState = (next: LiveState): void => {
    if (next === state) return;
    state = next;
    handlers.onState?.(next);
  };

  const retry = (): void => {
    setState("offline");
    clearTimeout(timer);
    timer = setTimeout(connect, backoff(attempt++));
  };

  const connect = (): void => {
    clearTimeout(timer);
    setState("connecting");
    const mine = new WebSocket(url);
    socket = mine;
    mine.onopen = () => {
      attempt = 0;
      setState("live");
    };
    mine.onmessage = (event: MessageEvent<string>) => {
      handlers.onMessage(JSON.parse(event.data) as M);
    };
    mine.onclose = (event) => {
      if (stopped || socket !== mine) return;
      socket = null;
      if (REFUSALS.has(event.code)) {
        setState("offline");
        handlers.onRefused?.(event.code);
      } else {
        retry();
      }
    };
  };

  // A network that comes back need not wait for the timer; one that goes need not wait for TCP.
  const online = (): void => {
    if (!stopped && socket === null) {
      attempt = 0;
      connect();
    }
  };
  const offline = (): void => socket?.close();
  window.addEventListener("online", online);
  window.addEventListener("offline", offline);
  connect();

  return {
    send: (message) => {
      if (socket?.readyState !== WebSocket.OPEN) return false;
      socket.send(JSON.stringify(message));
      return true;
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      window.removeEventListener("online", online);
      window.removeEventListener("offline", offline);
      socket?.close();
      socket = null;
    },
  };
}
