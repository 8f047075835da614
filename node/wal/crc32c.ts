const POLYNOMIAL = 0x82f63b78; // Castagnoli, reflected

const TABLE: Uint32Array = makeTable();

function makeTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    table[byte] = value;
  }
  return table;
}

/** CRC-32C (RFC 3720, appendix B.4) of the bytes; `previous` continues an earlier one. */
export function crc32c(bytes: Uint8Array, previous = 0): number {
  let crc = ~previous;
  for (let i = 0; i < bytes.length; i++) {
    crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[i] ?? 0)) & 255] ?? 0);
  }
  return ~crc >>> 0;
}

/** Checksum of the bytes from `start` to `end`, counted in the whole; see `crc32c` for `previous`. */
export type RangeChecksum = (start: number, end: number, previous: number) => number;

/**
 * Reads the bytes behind `from` once; then the CRC-32C of any range among them takes the same short time,
 * however long the range is: a checksum is linear, so that of a range follows from those of two beginnings.
 * Takes four bytes for each byte read.
 */
export function rangeChecksums(bytes: Uint8Array, from: number): RangeChecksum {
  const beginnings = new Uint32Array(bytes.length - from + 1);
  let register = 0;
  for (let i = from; i < bytes.length; i++) {
    register = (register >>> 8) ^ (TABLE[(register ^ (bytes[i] ?? 0)) & 255] ?? 0);
    beginnings[i - from + 1] = register;
  }
  return (start, end, previous) => {
    const before = beginnings[start - from] ?? 0;
    return ~(overZeros(before ^ ~previous, end - start) ^ (beginnings[end - from] ?? 0)) >>> 0;
  };
}

/** What a register becomes over 2^k zero bytes: four tables of 256 for each k, made when they are needed. */
const ZEROS: Uint32Array[] = [];

function zeros(k: number): Uint32Array {
  const known = ZEROS[k];
  if (known !== undefined) return known;
  const half = k === 0 ? undefined : zeros(k - 1);
  const made = new Uint32Array(4 * 256);
  for (let place = 0; place < 4; place++) {
    for (let byte = 0; byte < 256; byte++) {
      const value = byte << (8 * place);
      made[256 * place + byte] =
        half === undefined ? (value >>> 8) ^ (TABLE[value & 255] ?? 0) : looked(half, looked(half, value));
    }
  }
  ZEROS[k] = made;
  return made;
}

function looked(table: Uint32Array, value: number): number {
  return (
    (table[value & 255] ?? 0) ^
    (table[256 + ((value >>> 8) & 255)] ?? 0) ^
    (table[512 + ((value >>> 16) & 255)] ?? 0) ^
    (table[768 + (value >>> 24)] ?? 0)
  );
}

function overZeros(register: number, count: number): number {
  let value = register;
  for (let k = 0, left = count; left > 0; k++, left >>>= 1) if (left & 1) value = looked(zeros(k), value);
  return value;
}
