// What the header does: theme switch, account menu, "/" for search.

export type Theme = "light" | "dark";

/** Return the theme now shown: the remembered one, else the system's. */
export function currentTheme(root: HTMLElement): Theme {
  const chosen = root.dataset["theme"];
  if (chosen === "light" || chosen === "dark") return chosen;
  return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Show a theme and remember it for a year in a cookie, which the server reads: no flash of the other one. */
export function setTheme(root: HTMLElement, theme: Theme): void {
  root.dataset["theme"] = theme;
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  window.dispatchEvent(new CustomEvent("themechange", { detail: theme }));
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Wire the header of a page; return what ends it. */
export function startShell(page: Document): () => void {
  const root = page.documentElement;
  const menu = page.querySelector<HTMLDetailsElement>(".user-menu");
  const search = page.querySelector<HTMLInputElement>(".site-search input");
  const stop = new AbortController();
  const { signal } = stop;
  page.getElementById("theme-switch")?.addEventListener(
    "click",
    () => setTheme(root, currentTheme(root) === "dark" ? "light" : "dark"),
    { signal },
  );
  page.addEventListener(
    "click",
    (event) => {
      if (menu?.open && event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
    },
    { signal },
  );
  page.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Escape" && menu?.open) {
        menu.open = false;
        menu.querySelector("summary")?.focus();
      }
      const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented;
      if (event.key === "/" && plain && search && !typing(event.target)) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    },
    { signal },
  );
  return () => stop.abort();
}
