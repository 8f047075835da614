/**
 * SHA-256 (FIPS 180-4) of four messages at a time, one in each 32-bit lane of a vector. The hashes of a
 * tree's level do not depend on each other, so four lanes are always full but at its end.
 */

/** Round constants: the first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const ROUNDS = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);

/** First state: the same of the square roots of the first eight. */
const FIRST = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** Message schedule of four lanes. */
const SCHEDULE = memory.data(64 * 16, 16);
/** State of four lanes, word by word. */
const STATE = memory.data(8 * 16, 16);
/** Four inner nodes with their padding, two blocks each. */
const INNER = memory.data(4 * 128, 16);

const LANES = 4;
const BLOCK_BYTES = 64;
const HASH_BYTES = 32;
const INNER_PREFIX: u8 = 1;
/** Prefix and two hashes, in bits. */
const INNER_BITS = (1 + 2 * HASH_BYTES) * 8;

/** What the module takes for itself at the start of its memory: the host's data begin behind it. */
export const SCRATCH_BYTES: i32 = i32(__heap_base);

function rotr(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shr_u(x, bits), i32x4.shl(x, 32 - bits));
}

function bigSigma0(x: v128): v128 {
  return v128.xor(v128.xor(rotr(x, 2), rotr(x, 13)), rotr(x, 22));
}

function bigSigma1(x: v128): v128 {
  return v128.xor(v128.xor(rotr(x, 6), rotr(x, 11)), rotr(x, 25));
}

function smallSigma0(x: v128): v128 {
  return v128.xor(v128.xor(rotr(x, 7), rotr(x, 18)), i32x4.shr_u(x, 3));
}

function smallSigma1(x: v128): v128 {
  return v128.xor(v128.xor(rotr(x, 17), rotr(x, 19)), i32x4.shr_u(x, 10));
}

/** Sixteen bytes as four words, big-endian. */
function words(at: usize): v128 {
  const bytes = v128.load(at);
  return i8x16.shuffle(bytes, bytes, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

/** Four words of each lane's block from `offset` on, into the schedule: a 4 by 4 transposition. */
function loadWords(a: usize, b: usize, c: usize, d: usize, offset: usize): void {
  const w0 = words(a + offset);
  const w1 = words(b + offset);
  const w2 = words(c + offset);
  const w3 = words(d + offset);
  const low01 = i32x4.shuffle(w0, w1, 0, 4, 1, 5);
  const high01 = i32x4.shuffle(w0, w1, 2, 6, 3, 7);
  const low23 = i32x4.shuffle(w2, w3, 0, 4, 1, 5);
  const high23 = i32x4.shuffle(w2, w3, 2, 6, 3, 7);
  const at = SCHEDULE + (offset << 2);
  v128.store(at, i64x2.shuffle(low01, low23, 0, 2));
  v128.store(at, i64x2.shuffle(low01, low23, 1, 3), 16);
  v128.store(at, i64x2.shuffle(high01, high23, 0, 2), 32);
  v128.store(at, i64x2.shuffle(high01, high23, 1, 3), 48);
}

function expandSchedule(): void {
  for (let at = SCHEDULE; at < SCHEDULE + 48 * 16; at += 16) {
    const sum = i32x4.add(v128.load(at), v128.load(at, 9 * 16));
    const sigmas = i32x4.add(smallSigma0(v128.load(at, 16)), smallSigma1(v128.load(at, 14 * 16)));
    v128.store(at, i32x4.add(sum, sigmas), 16 * 16);
  }
}

/** One block of each lane into the state. */
function compress(a0: usize, b0: usize, c0: usize, d0: usize): void {
  for (let offset: usize = 0; offset < 64; offset += 16) loadWords(a0, b0, c0, d0, offset);
  expandSchedule();
  let a = v128.load(STATE);
  let b = v128.load(STATE, 16);
  let c = v128.load(STATE, 32);
  let d = v128.load(STATE, 48);
  let e = v128.load(STATE, 64);
  let f = v128.load(STATE, 80);
  let g = v128.load(STATE, 96);
  let h = v128.load(STATE, 112);
  let k = ROUNDS;
  for (let at = SCHEDULE; at < SCHEDULE + 64 * 16; at += 16) {
    const choice = v128.xor(g, v128.and(e, v128.xor(f, g)));
    const t1 = i32x4.add(
      i32x4.add(h, i32x4.add(v128.load(at), v128.load32_splat(k))),
      i32x4.add(bigSigma1(e), choice),
    );
    const majority = v128.or(v128.and(a, b), v128.and(c, v128.or(a, b)));
    h = g;
    g = f;
    f = e;
    e = i32x4.add(d, t1);
    d = c;
    c = b;
    b = a;
    a = i32x4.add(t1, i32x4.add(bigSigma0(a), majority));
    k += 4;
  }
  addTo(0, a);
  addTo(16, b);
  addTo(32, c);
  addTo(48, d);
  addTo(64, e);
  addTo(80, f);
  addTo(96, g);
  addTo(112, h);
}

function addTo(offset: usize, value: v128): void {
  const at = STATE + offset;
  v128.store(at, i32x4.add(v128.load(at), value));
}

function firstState(): void {
  for (let word: usize = 0; word < 8; word++) {
    v128.store(STATE + (word << 4), v128.load32_splat(FIRST + (word << 2)));
  }
}

/** Writes the hash of a lane. */
function writeHash(lane: usize, out: usize): void {
  for (let word: usize = 0; word < 8; word++) {
    store<u32>(out + (word << 2), bswap(load<u32>(STATE + (word << 4) + (lane << 2))));
  }
}

/**
 * Hashes `count` messages that lie one behind another, each padded to whole blocks; `blocks` says of how
 * many, a byte each. The hashes go to `out`, 32 bytes each.
 */
export function hashMessages(messages: usize, blocks: usize, count: i32, out: usize): void {
  let at = messages;
  for (let i = 0; i < count; i += LANES) {
    const lanes = min(LANES, count - i);
    const blocks0 = i32(load<u8>(blocks + i));
    const blocks1 = lanes > 1 ? i32(load<u8>(blocks + i, 1)) : 0;
    const blocks2 = lanes > 2 ? i32(load<u8>(blocks + i, 2)) : 0;
    const blocks3 = lanes > 3 ? i32(load<u8>(blocks + i, 3)) : 0;
    const at1 = at + blocks0 * BLOCK_BYTES;
    const at2 = at1 + blocks1 * BLOCK_BYTES;
    const at3 = at2 + blocks2 * BLOCK_BYTES;
    const most = max(max(blocks0, blocks1), max(blocks2, blocks3));
    firstState();
    // A lane that is done hashes what is there again; its hash was taken at its last block.
    for (let block = 1; block <= most; block++) {
      const offset = (block - 1) * BLOCK_BYTES;
      compress(
        block <= blocks0 ? at + offset : at,
        block <= blocks1 ? at1 + offset : at,
        block <= blocks2 ? at2 + offset : at,
        block <= blocks3 ? at3 + offset : at,
      );
      if (block === blocks0) writeHash(0, out);
      if (block === blocks1) writeHash(1, out + HASH_BYTES);
      if (block === blocks2) writeHash(2, out + 2 * HASH_BYTES);
      if (block === blocks3) writeHash(3, out + 3 * HASH_BYTES);
    }
    at = at3 + blocks3 * BLOCK_BYTES;
    out += LANES * HASH_BYTES;
  }
}

function prepareInner(): void {
  memory.fill(INNER, 0, 4 * 128);
  for (let lane: usize = 0; lane < 4; lane++) {
    const at = INNER + (lane << 7);
    store<u8>(at, INNER_PREFIX);
    store<u8>(at, 0x80, 1 + 2 * HASH_BYTES);
    store<u16>(at, bswap<u16>(u16(INNER_BITS)), 126);
  }
}

/**
 * Hashes of the inner nodes over `count` hashes at `hashes`, two by two, to `out`, which may be the same
 * place. A lone last one goes up as it is.
 */
export function hashPairs(hashes: usize, count: i32, out: usize): void {
  const pairs = count >> 1;
  prepareInner();
  for (let i = 0; i < pairs; i += LANES) {
    const lanes = min(LANES, pairs - i);
    for (let lane = 0; lane < lanes; lane++) {
      const from = hashes + (usize(i + lane) << 6);
      const to = INNER + (usize(lane) << 7) + 1;
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      v128.store(to, v128.load(from, 32), 32);
      v128.store(to, v128.load(from, 48), 48);
    }
    firstState();
    compress(INNER, INNER + 128, INNER + 256, INNER + 384);
    compress(INNER + 64, INNER + 192, INNER + 320, INNER + 448);
    for (let lane = 0; lane < lanes; lane++) writeHash(lane, out + (usize(i + lane) << 5));
  }
  if ((count & 1) === 1) memory.copy(out + (usize(pairs) << 5), hashes + (usize(count - 1) << 5), HASH_BYTES);
}
