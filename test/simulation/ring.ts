/** Networks in which not everybody is connected to everybody. */

/** Whom a machine dials, by distance in the ring: with those who dial it, each has eight connections. */
const STEPS = [1, 7, 19, 37] as const;

/** Whom each of the machines dials, which stand in a ring in this order. */
export function ring(names: readonly string[]): (name: string) => readonly string[] {
  const places = new Map(names.map((name, at) => [name, at]));
  return (name) => {
    const at = places.get(name) ?? 0;
    return STEPS.map((step) => names[(at + step) % names.length] ?? '');
  };
}

/** Whom each is connected to when each dials those: dialled or dialling, itself never. */
export function neighbours(
  names: readonly string[],
  peersOf: (name: string) => readonly string[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const all = new Map(names.map((name) => [name, new Set<string>()]));
  for (const name of names) {
    for (const peer of peersOf(name)) {
      if (peer === name) continue;
      all.get(name)?.add(peer);
      all.get(peer)?.add(name);
    }
  }
  return all;
}
