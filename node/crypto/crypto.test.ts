import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { fromHex, utf8 } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { ed25519Signer, verifyEd25519 } from './ed25519.ts';
import { nobleEngine, secp256k1Engine, verifySecp256k1 } from './secp256k1.ts';
import { CachedSignatureVerifier, type SignatureTask } from './signature-verifier.ts';
import type { Ed25519Record, Secp256k1Record, VerifyRecord } from './verify-batch.ts';
import { VerifierPool } from './verifier-pool.ts';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const pools: VerifierPool[] = [];
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.stop()));
});

function pool(workers: number, queuedMax?: number): VerifierPool {
  const made = new VerifierPool(queuedMax === undefined ? { workers } : { workers, queuedMax });
  pools.push(made);
  return made;
}

function scalar(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0'));
}

function record(index: number): Secp256k1Record {
  const secretKey = sha256(utf8(`key ${index % 7}`));
  const digest = sha256(utf8(`message ${index}`));
  const signature = secp256k1.sign(digest, secretKey, { prehash: false });
  return { publicKey: secp256k1.getPublicKey(secretKey, true), digest, signature };
}

function ed25519Record(index: number): Ed25519Record {
  const signer = ed25519Signer(sha256(utf8(`key ${index % 7}`)));
  // Of every length, none included.
  const message = utf8(`message ${index}`.repeat(index % 5));
  return { publicKey: signer.publicKey, message, signature: signer.sign(message) };
}

test('the native secp256k1 library is what runs', () => {
  expect(secp256k1Engine.name).toBe('native');
});

test('both secp256k1 engines agree: valid, high S, zero and too large r and s, bad keys', () => {
  const good = record(1);
  const r = good.signature.slice(0, 32);
  const s = BigInt('0x' + Buffer.from(good.signature.slice(32)).toString('hex'));
  const signature = (left: Uint8Array, right: Uint8Array): Uint8Array => Buffer.concat([left, right]);
  const cases: readonly (readonly [string, boolean, Secp256k1Record])[] = [
    ['valid', true, good],
    ['high S', false, { ...good, signature: signature(r, scalar(ORDER - s)) }],
    ['zero r', false, { ...good, signature: signature(scalar(0n), scalar(s)) }],
    ['zero s', false, { ...good, signature: signature(r, scalar(0n)) }],
    ['r = n', false, { ...good, signature: signature(scalar(ORDER), scalar(s)) }],
    ['s = n', false, { ...good, signature: signature(r, scalar(ORDER)) }],
    ['all ones', false, { ...good, signature: new Uint8Array(64).fill(255) }],
    ['key prefix 04', false, { ...good, publicKey: Uint8Array.of(4, ...good.publicKey.slice(1)) }],
    ['key off curve', false, { ...good, publicKey: Uint8Array.of(2, ...scalar(5n)) }],
    [
      'key beyond the field',
      false,
      { ...good, publicKey: Uint8Array.of(2, ...new Uint8Array(32).fill(255)) },
    ],
    ['zero key', false, { ...good, publicKey: new Uint8Array(33) }],
    ['other digest', false, { ...good, digest: sha256(good.digest) }],
  ];
  const noble = nobleEngine();
  for (const [name, valid, { publicKey, digest, signature: bytes }] of cases) {
    expect(verifySecp256k1(publicKey, digest, bytes), `native: ${name}`).toBe(valid);
    expect(noble.verify(publicKey, digest, bytes), `noble: ${name}`).toBe(valid);
  }
});

test('both secp256k1 engines agree on random damage', () => {
  const noble = nobleEngine();
  const good = record(3);
  fc.assert(
    fc.property(fc.nat({ max: 128 }), fc.integer({ min: 1, max: 255 }), (position, flip) => {
      const bytes = Buffer.concat([good.publicKey, good.digest, good.signature]);
      bytes[position] = (bytes[position] ?? 0) ^ flip;
      const damaged = [bytes.subarray(0, 33), bytes.subarray(33, 65), bytes.subarray(65)] as const;
      expect(verifySecp256k1(...damaged)).toBe(noble.verify(...damaged));
    }),
    { numRuns: 60 },
  );
});

test('wrong lengths are invalid signatures, not errors', async () => {
  const good = record(2);
  expect(verifySecp256k1(good.publicKey.slice(1), good.digest, good.signature)).toBe(false);
  expect(verifySecp256k1(good.publicKey, good.digest, good.signature.slice(1))).toBe(false);
  expect(await pool(0).verify([{ ...good, publicKey: new Uint8Array(65) }])).toEqual([false]);
});

test('ed25519 signs as RFC 8032 and verifies by ZIP-215', () => {
  const seed = sha256(utf8('seed'));
  const signer = ed25519Signer(seed);
  const message = utf8('a vote');
  const signature = signer.sign(message);
  expect(Buffer.from(signer.publicKey)).toEqual(Buffer.from(ed25519.getPublicKey(seed)));
  expect(Buffer.from(signature)).toEqual(Buffer.from(ed25519.sign(message, seed)));
  expect(verifyEd25519(signer.publicKey, message, signature)).toBe(true);
  expect(verifyEd25519(signer.publicKey, utf8('another'), signature)).toBe(false);
  // The identity as key and as R with S = 0: RFC 8032 libraries refuse it, ZIP-215 accepts it for every
  // message.
  const identity = Uint8Array.of(1, ...new Uint8Array(31));
  expect(verifyEd25519(identity, message, Uint8Array.of(...identity, ...new Uint8Array(32)))).toBe(true);
  expect(verifyEd25519(identity, message, new Uint8Array(63))).toBe(false);
});

for (const workers of [0, 1, 2]) {
  test(`a pool of ${workers} workers answers each record in its place`, async () => {
    const records = Array.from({ length: 300 }, (_, index) => {
      const good = record(index);
      return index % 5 === 0 ? { ...good, digest: sha256(good.digest) } : good;
    });
    const results = await pool(workers).verify(records);
    expect(results).toEqual(records.map((_, index) => index % 5 !== 0));
  });

  test(`a pool of ${workers} workers tells both kinds of keys apart`, async () => {
    const records = Array.from({ length: 300 }, (_, index): VerifyRecord => {
      if (index % 3 === 0) return record(index);
      const good = ed25519Record(index);
      return index % 5 === 0 ? { ...good, message: utf8('another') } : good;
    });
    const results = await pool(workers).verify(records);
    expect(results).toEqual(records.map((_, index) => index % 3 === 0 || index % 5 !== 0));
  });
}

test('a pool refuses more than it may queue and refuses after it has stopped', async () => {
  const small = pool(0, 2);
  await expect(small.verify([record(1), record(2), record(3)])).rejects.toThrow('too many signatures');
  expect(await small.verify([record(1), record(2)])).toEqual([true, true]);
  await small.stop();
  await expect(small.verify([record(1)])).rejects.toThrow('stopped');
});

test('stopping a pool answers what was waiting', async () => {
  const stopping = pool(1);
  const answer = stopping.verify([record(1), { ...record(2), digest: new Uint8Array(32) }]);
  await stopping.stop();
  expect(await answer).toEqual([true, false]);
});

test('the verifier computes once, then answers from its cache, and forgets beyond its limit', async () => {
  const verifier = new CachedSignatureVerifier(pool(1), { cacheEntriesMax: 4 });
  const task = (index: number): { publicKey: Uint8Array; signBytes: Uint8Array; signature: Uint8Array } => {
    const { publicKey, signature } = record(index);
    return { publicKey, signBytes: utf8(`message ${index}`), signature };
  };
  const forged = { ...task(1), signBytes: utf8('other') };
  await verifier.prefetch([task(1), forged]);
  const ask = (one: ReturnType<typeof task>): boolean =>
    verifier.verify(one.publicKey, one.signBytes, one.signature);
  expect([ask(task(1)), ask(forged)]).toEqual([true, false]);
  expect(verifier.stats).toEqual({ hits: 2, misses: 0 });
  for (const index of [2, 3, 4, 5]) expect(ask(task(index))).toBe(true);
  expect(verifier.stats).toEqual({ hits: 2, misses: 4 });
  expect(ask(task(1))).toBe(true);
  expect(verifier.stats.misses).toBe(5);
});

test('a result is found by the array that was signed, but only for the same key and signature', async () => {
  const counted: number[] = [];
  const workers = pool(1);
  const verifier = new CachedSignatureVerifier(
    {
      verify: (records) => {
        counted.push(records.length);
        return workers.verify(records);
      },
      stop: () => workers.stop(),
    },
    { cacheEntriesMax: 2 },
  );
  const { publicKey, signature } = record(1);
  const signBytes = utf8('message 1');
  await verifier.prefetch([{ publicKey, signBytes, signature }]);
  // Two others push the result out of the cache by content; the array still has it.
  for (const index of [2, 3, 4]) verifier.verify(record(index).publicKey, utf8(`m ${index}`), signature);
  const { hits, misses } = verifier.stats;
  expect(verifier.verify(publicKey, signBytes, signature)).toBe(true);
  expect(verifier.verify(Uint8Array.from(publicKey), signBytes, Uint8Array.from(signature))).toBe(true);
  expect(verifier.stats).toEqual({ hits: hits + 2, misses });
  const forged = Uint8Array.from(signature);
  forged[5] = (forged[5] ?? 0) ^ 1;
  expect(verifier.verify(publicKey, signBytes, forged)).toBe(false);
  expect(verifier.verify(record(2).publicKey, signBytes, signature)).toBe(false);
  expect(verifier.verify(publicKey, signBytes, signature)).toBe(true);
  expect(verifier.prefetch([{ publicKey, signBytes, signature }])).toBeUndefined();
  expect(counted).toEqual([1]);
});

test('the results of several calls that share batches go to the calls that asked', async () => {
  const workers = pool(1);
  const good = record(1);
  const bad = { ...good, digest: new Uint8Array(32) };
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.boolean(), { maxLength: 9 }), { maxLength: 9 }), async (calls) => {
      const ask = (call: readonly boolean[]): Promise<readonly boolean[]> =>
        workers.verify(call.map((valid) => (valid ? good : bad)));
      expect(await Promise.all(calls.map(ask))).toEqual(calls);
    }),
    { numRuns: 20 },
  );
});

/** Tasks of both kinds that are right, no two of the same key, bytes and signature. */
function goodTasks(): readonly SignatureTask[] {
  return [0, 1, 2].flatMap((index): readonly SignatureTask[] => {
    const [account, session] = [record(index), ed25519Record(index + 8)];
    const { publicKey, message, signature } = session;
    return [
      { publicKey: account.publicKey, signBytes: utf8(`message ${index}`), signature: account.signature },
      { kind: 'ed25519', publicKey, signBytes: message, signature },
    ];
  });
}

test('what was verified beforehand stands for its own kind, key, bytes and signature only', async () => {
  const verifier = new CachedSignatureVerifier(pool(1), { cacheEntriesMax: 1000 });
  const good = goodTasks();
  await verifier.prefetch(good);
  for (const [i, { publicKey }] of good.entries())
    for (const [j, { signBytes }] of good.entries())
      for (const [k, { signature }] of good.entries()) {
        const isGood = i === j && j === k;
        const isEd25519 = good[i]?.kind === 'ed25519';
        const which = `key ${i}, bytes ${j}, signature ${k}`;
        const bytes = Uint8Array.from(signBytes);
        expect(verifier.verify(publicKey, bytes, signature), which).toBe(isGood && !isEd25519);
        expect(verifier.verifyEd25519(publicKey, bytes, signature), which).toBe(isGood && isEd25519);
      }
  expect(verifier.stats.hits).toBeGreaterThanOrEqual(good.length);
});

test('an ed25519 signature that OpenSSL refuses and ZIP-215 takes passes, verified beforehand or not', async () => {
  const identity = Uint8Array.of(1, ...new Uint8Array(31));
  const signature = Uint8Array.of(...identity, ...new Uint8Array(32));
  const signBytes = utf8('a voucher');
  const verifier = new CachedSignatureVerifier(pool(0), { cacheEntriesMax: 100 });
  expect(verifier.verifyEd25519(identity, signBytes, signature)).toBe(true);
  await verifier.prefetch([{ kind: 'ed25519', publicKey: identity, signBytes, signature }]);
  expect(verifier.verifyEd25519(identity, signBytes, signature)).toBe(true);
  expect(verifier.stats).toEqual({ hits: 0, misses: 2 });
  const short = { kind: 'ed25519', publicKey: identity, signBytes, signature: new Uint8Array(63) } as const;
  expect(verifier.prefetch([short])).toBeUndefined();
  expect(verifier.verifyEd25519(identity, signBytes, short.signature)).toBe(false);
});
