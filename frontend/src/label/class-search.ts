// Finds classes by their names. Pure.

/** The classes whose names have all words in them; those that begin with them first. */
export function named<T extends { readonly name: string }>(classes: readonly T[], wanted: string): readonly T[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const found = classes.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  const first = words[0];
  return first === undefined ? found : [...found].sort((a, b) => Number(b.name.toLowerCase().startsWith(first)) - Number(a.name.toLowerCase().startsWith(first)));
}
