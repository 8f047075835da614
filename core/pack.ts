/** Bounds of a pack. */
export interface PackBounds<Item> {
  readonly bytesOf: (item: Item) => number;
  readonly bytesMax: number;
  readonly itemsMax: number;
}

/** Divides items into packs within bounds, in their order, each as full as it gets; one that is too large stands alone. */
export function packInOrder<Item>(
  items: readonly Item[],
  { bytesOf, bytesMax, itemsMax }: PackBounds<Item>,
): Item[][] {
  const packs: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    const own = bytesOf(item);
    const last = packs.at(-1);
    if (last === undefined || last.length >= itemsMax || bytes + own > bytesMax) {
      packs.push([item]);
      bytes = own;
    } else {
      last.push(item);
      bytes += own;
    }
  }
  return packs;
}
