/**
 * The sort of attest/index/sais.ts, step by step the same, on addresses of 32-bit integers in this module's
 * memory. The model and the table of steps are there.
 */
import { tell } from './host';

const SUBSTRINGS: i32 = 1;
const NAMES: i32 = 2;
const SUFFIXES: i32 = 3;

function get(base: usize, index: i32): i32 {
  return load<i32>(base + (usize(index) << 2));
}

function set(base: usize, index: i32, value: i32): void {
  store<i32>(base + (usize(index) << 2), value);
}

/** Grows the memory until it reaches to an address; a trap when the host does not give it. */
function reserve(end: u64): void {
  const pages = i32((end + 0xffff) >> 16) - memory.size();
  if (pages > 0 && memory.grow(pages) < 0) unreachable();
}

/**
 * Sorts the suffixes of `n` ranks at `text`, each below `symbols`, into `sa`. Uses the memory from `free` on,
 * and grows it.
 */
export function sortSuffixes(text: usize, sa: usize, n: i32, symbols: i32, free: usize): void {
  sortLevel(text, sa, n, symbols, free, 0);
}

/** Writes the inverse of the permutation of `n` entries at `sa` to `isa`. */
export function invert(sa: usize, isa: usize, n: i32): void {
  for (let rank = 0; rank < n; rank++) set(isa, get(sa, rank), rank);
}

function sortLevel(text: usize, sa: usize, n: i32, symbols: i32, free: usize, depth: i32): void {
  if (n < 2) {
    if (n === 1) set(sa, 0, 0);
    return;
  }
  const counts = free;
  const next = free + (usize(symbols) << 2);
  const rest = next + (usize(symbols) << 2);
  reserve(u64(free) + (u64(symbols) << 3));
  memory.fill(counts, 0, usize(symbols) << 2);
  for (let i = 0; i < n; i++) {
    const c = get(text, i);
    set(counts, c, get(counts, c) + 1);
  }
  tell(SUBSTRINGS, depth, n);
  const lms = seedLms(text, sa, n, counts, next, symbols);
  if (lms > 1) {
    sortSubstrings(text, sa, n, counts, next, symbols);
    gatherSubstrings(sa, n);
    tell(NAMES, depth, n);
    const names = nameSubstrings(text, sa, n, lms);
    if (names < lms) {
      gatherNames(sa, n, lms);
      sortLevel(sa + (usize(n - lms) << 2), sa, lms, names, rest, depth + 1);
      positionsOfNames(text, sa, n, lms);
    }
  } else if (lms === 1) {
    let i = 0;
    while (get(sa, i) === 0) i++;
    set(sa, 0, get(sa, i));
  }
  tell(SUFFIXES, depth, n);
  placeLms(text, sa, n, lms, counts, next, symbols);
  induceLarge(text, sa, n, counts, next, symbols);
  induceSmall(text, sa, n, counts, next, symbols);
}

function bucketHeads(counts: usize, next: usize, symbols: i32): void {
  let sum = 0;
  for (let c = 0; c < symbols; c++) {
    set(next, c, sum);
    sum += get(counts, c);
  }
}

function bucketTails(counts: usize, next: usize, symbols: i32): void {
  let sum = 0;
  for (let c = 0; c < symbols; c++) {
    sum += get(counts, c);
    set(next, c, sum);
  }
}

function seedLms(text: usize, sa: usize, n: i32, counts: usize, next: usize, symbols: i32): i32 {
  memory.fill(sa, 0, usize(n) << 2);
  bucketTails(counts, next, symbols);
  let count = 0;
  let small = false;
  let after = get(text, n - 1);
  for (let i = n - 2; i >= 0; i--) {
    const c = get(text, i);
    if (c < after) {
      small = true;
    } else if (c > after) {
      if (small) {
        const place = get(next, after) - 1;
        set(next, after, place);
        set(sa, place, i + 1);
        count++;
      }
      small = false;
    }
    after = c;
  }
  return count;
}

function putLast(text: usize, sa: usize, n: i32, next: usize): void {
  const last = n - 1;
  const c = get(text, last);
  const place = get(next, c);
  set(next, c, place + 1);
  set(sa, place, get(text, last - 1) < c ? ~last : last);
}

function sortSubstrings(text: usize, sa: usize, n: i32, counts: usize, next: usize, symbols: i32): void {
  bucketHeads(counts, next, symbols);
  putLast(text, sa, n, next);
  for (let i = 0; i < n; i++) {
    const position = get(sa, i);
    if (position <= 0) {
      if (position < 0) set(sa, i, ~position);
      continue;
    }
    set(sa, i, 0);
    const j = position - 1;
    const c = get(text, j);
    const place = get(next, c);
    set(next, c, place + 1);
    set(sa, place, j > 0 && get(text, j - 1) < c ? ~j : j);
  }
  bucketTails(counts, next, symbols);
  for (let i = n - 1; i >= 0; i--) {
    const position = get(sa, i);
    if (position <= 0) continue;
    set(sa, i, 0);
    const j = position - 1;
    const c = get(text, j);
    const place = get(next, c) - 1;
    set(next, c, place);
    set(sa, place, j > 0 && get(text, j - 1) > c ? ~j : j);
  }
}

function gatherSubstrings(sa: usize, n: i32): void {
  let count = 0;
  for (let i = 0; i < n; i++) {
    const position = get(sa, i);
    if (position < 0) set(sa, count++, ~position);
  }
  memory.fill(sa + (usize(count) << 2), 0, usize(n - count) << 2);
}

function nameSubstrings(text: usize, sa: usize, n: i32, lms: i32): i32 {
  writeLengths(text, sa, n, lms);
  let names = 0;
  let before = n;
  let beforeLength = 0;
  for (let i = 0; i < lms; i++) {
    const position = get(sa, i);
    const at = lms + (position >> 1);
    const length = get(sa, at);
    let same = length === beforeLength && position + length <= n && before + length <= n;
    for (let k = 0; same && k < length; k++) same = get(text, position + k) === get(text, before + k);
    if (!same) names++;
    set(sa, at, names);
    before = position;
    beforeLength = length;
  }
  return names;
}

function writeLengths(text: usize, sa: usize, n: i32, lms: i32): void {
  let end = n;
  let small = false;
  let after = get(text, n - 1);
  for (let i = n - 2; i >= 0; i--) {
    const c = get(text, i);
    if (c < after) {
      small = true;
    } else if (c > after) {
      if (small) {
        set(sa, lms + ((i + 1) >> 1), end - i);
        end = i + 1;
      }
      small = false;
    }
    after = c;
  }
}

function gatherNames(sa: usize, n: i32, lms: i32): void {
  let place = n;
  for (let i = n - 1; i >= lms; i--) {
    const name = get(sa, i);
    if (name > 0) set(sa, --place, name - 1);
  }
}

function positionsOfNames(text: usize, sa: usize, n: i32, lms: i32): void {
  let place = n;
  let small = false;
  let after = get(text, n - 1);
  for (let i = n - 2; i >= 0; i--) {
    const c = get(text, i);
    if (c < after) {
      small = true;
    } else if (c > after) {
      if (small) set(sa, --place, i + 1);
      small = false;
    }
    after = c;
  }
  for (let i = 0; i < lms; i++) set(sa, i, get(sa, n - lms + get(sa, i)));
}

function placeLms(text: usize, sa: usize, n: i32, lms: i32, counts: usize, next: usize, symbols: i32): void {
  memory.fill(sa + (usize(lms) << 2), 0, usize(n - lms) << 2);
  bucketTails(counts, next, symbols);
  for (let i = lms - 1; i >= 0; i--) {
    const position = get(sa, i);
    set(sa, i, 0);
    const c = get(text, position);
    const place = get(next, c) - 1;
    set(next, c, place);
    set(sa, place, position);
  }
}

function induceLarge(text: usize, sa: usize, n: i32, counts: usize, next: usize, symbols: i32): void {
  bucketHeads(counts, next, symbols);
  putLast(text, sa, n, next);
  for (let i = 0; i < n; i++) {
    const position = get(sa, i);
    set(sa, i, ~position);
    if (position <= 0) continue;
    const j = position - 1;
    const c = get(text, j);
    const place = get(next, c);
    set(next, c, place + 1);
    set(sa, place, j > 0 && get(text, j - 1) < c ? ~j : j);
  }
}

function induceSmall(text: usize, sa: usize, n: i32, counts: usize, next: usize, symbols: i32): void {
  bucketTails(counts, next, symbols);
  for (let i = n - 1; i >= 0; i--) {
    const position = get(sa, i);
    if (position <= 0) {
      set(sa, i, ~position);
      continue;
    }
    const j = position - 1;
    const c = get(text, j);
    const place = get(next, c) - 1;
    set(next, c, place);
    set(sa, place, j === 0 || get(text, j - 1) > c ? ~j : j);
  }
}
