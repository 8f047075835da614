/** Changed bundles, for tests. */
/** Values of JSON that differ in one member or element from another: changed, left out, repeated, moved. */
export function* variants(value: unknown): Generator<unknown> {
  if (typeof value === 'string') {
    yield value === '' ? '00' : value.slice(2);
    yield `${value}00`;
  } else if (typeof value === 'number') yield value + 1;
  else if (value === null) yield { key: '', value: '', prefix: '', path: [] };
  else if (Array.isArray(value)) yield* listVariants(value);
  else if (typeof value === 'object') {
    yield null;
    for (const [name, member] of Object.entries(value))
      for (const other of variants(member)) yield { ...value, [name]: other };
  }
}

function* listVariants(list: readonly unknown[]): Generator<unknown> {
  for (const [i, element] of list.entries()) {
    yield list.toSpliced(i, 1);
    yield list.toSpliced(i, 0, element);
    if (i > 0) yield list.toSpliced(i - 1, 2, element, list[i - 1]);
    for (const other of variants(element)) yield list.with(i, other);
  }
}

/** The first line that two texts do not share, with what is around it. */
export function difference(a: string, b: string): string {
  const [lines, others] = [a.split('\n'), b.split('\n')];
  const at = lines.findIndex((line, i) => line !== others[i]);
  return lines.slice(Math.max(0, at - 8), at + 3).join('\n');
}
