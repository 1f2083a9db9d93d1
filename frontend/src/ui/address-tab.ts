// The open tab of a page, kept in its address: a reload stays there, Back goes to the one before, a link leads to it.

import { useEffect, useState } from "preact/hooks";

/** The tab that an address names (#id), or the first one. */
export function tabOf(hash: string, ids: readonly string[]): string {
  const named = hash.slice(1);
  return ids.includes(named) ? named : (ids[0] ?? "");
}

/** The open tab and what opens another one. */
export function useAddressTab(ids: readonly string[]): readonly [tab: string, open: (id: string) => void] {
  const [tab, setTab] = useState(() => tabOf(location.hash, ids));
  useEffect(() => {
    const follow = (): void => setTab(tabOf(location.hash, ids));
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, [ids]);
  const open = (id: string): void => {
    if (id === tab) return;
    history.pushState(null, "", id === ids[0] ? location.pathname + location.search : `#${id}`);
    setTab(id);
  };
  return [tab, open];
}
