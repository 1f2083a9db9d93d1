// An address that changes under an open page: by hand, by a link to another place of it, or by Back.

/** Tell the hash that the open page is led to, until the returned function is called; what the page writes itself is not told. */
export function onHash(follow: (hash: string) => void): () => void {
  // Not `location.hash`: between the change and its event the page may have written where it was.
  const heard = (event: HashChangeEvent): void => follow(new URL(event.newURL).hash);
  window.addEventListener("hashchange", heard);
  return () => window.removeEventListener("hashchange", heard);
}
