/** Bits that are set in a whole number of at least 0: aligned runs that tile so many things, from the first on. */
export function bitsSet(value: bigint): number {
  let bits = 0;
  for (let left = value; left > 0n; left >>= 1n) bits += Number(left & 1n);
  return bits;
}
