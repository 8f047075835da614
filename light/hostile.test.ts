/**
 * What nodes answer, broken at random: nothing but a LedgerError ever comes out, and no proof but the right
 * one. `LIGHT_FUZZ_RUNS=1000000` makes it long.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { fromHex } from '../core/bytes.ts';
import { defined, LedgerError } from '../core/errors.ts';
import { decodeBlock } from '../consensus/types/block.ts';
import { decodeEvidence } from '../consensus/types/evidence.ts';
import { checkLightBlock, decodeLightBlock, encodeLightBlock } from '../consensus/types/light-block.ts';
import { JsonField } from './json/field.ts';
import { blockJson, commitJson, evidenceJson, headerJson, txProofJson, validatorJson } from './json/print.ts';
import { readCommit, readHeader, readMerkleProof, readSignedHeader, readValidatorSet } from './json/read.ts';
import { readBlock, readEvidence } from './json/read-block.ts';
import { verifyStoreProof } from './proof/store-proof.ts';
import { testChain } from './testing/chain.ts';

const RUNS = Number(process.env['LIGHT_FUZZ_RUNS'] ?? 2000);

/** xorshift32, so that a run can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const vectorsOf = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`../test/vectors/${path}`, import.meta.url), 'utf8'));

const light = defined(testChain({ length: 3 })[2], 'block');
const attacks = vectorsOf('cometbft/attacks.json') as { cases: { name: string; evidence: string }[] };
const evidence = decodeEvidence(fromHex(defined(attacks.cases[0], 'attack').evidence));
const block = JSON.stringify(vectorsOf('cometbft/blocks.json'))
  .match(/"[0-9a-f]{600,}"/g)
  ?.flatMap((text) => {
    try {
      return [decodeBlock(fromHex(text.slice(1, -1)))];
    } catch {
      return [];
    }
  })[0];

const READERS: readonly (readonly [text: string, read: (json: JsonField) => unknown])[] = [
  [JSON.stringify(headerJson(light.header)), readHeader],
  [JSON.stringify(commitJson(light.commit)), readCommit],
  [
    JSON.stringify({ header: headerJson(light.header), commit: commitJson(light.commit) }),
    (json) => checkLightBlock({ ...readSignedHeader(json), validators: light.validators }),
  ],
  [JSON.stringify({ validators: light.validators.validators.map(validatorJson) }), readValidatorSet],
  [JSON.stringify(blockJson(defined(block, 'block'))), readBlock],
  [JSON.stringify(evidenceJson(evidence)), readEvidence],
  [
    JSON.stringify(
      txProofJson({
        root: new Uint8Array(32),
        tx: new Uint8Array(3),
        proof: { total: 4, index: 1, leafHash: new Uint8Array(32), aunts: [new Uint8Array(32)] },
      }),
    ),
    (json) => readMerkleProof(json.at('proof')),
  ],
];

const PIECES = ['null', '[]', '{}', '-1', '1e999', '"9223372036854775808"', '""', 'true', '"\\u0000"', '0.5'];

/** One value, digit or bracket replaced, or a piece cut out or doubled. */
function broken(text: string, below: (n: number) => number): string {
  const at = below(text.length);
  switch (below(5)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode(32 + below(95)) + text.slice(at + 1);
    case 1: {
      const values = [...text.matchAll(/:("[^"]*"|\d+|null|\[[^\]]*\])/g)];
      const value = values[below(values.length)];
      if (value === undefined) return text;
      const from = value.index + 1;
      return (
        text.slice(0, from) + (PIECES[below(PIECES.length)] ?? '') + text.slice(value.index + value[0].length)
      );
    }
    case 2:
      return text.slice(0, at) + text.slice(at + 1 + below(20));
    case 3:
      return text.slice(0, at) + text.slice(Math.max(0, at - below(60)), at) + text.slice(at);
    default:
      return broken(broken(text, below), below);
  }
}

it('answers', () => {
  const below = random(20_260_102);
  let read = 0;
  for (let run = 0; run < RUNS; run++) {
    const [text, reader] = defined(READERS[run % READERS.length], 'reader');
    let value: unknown;
    try {
      value = JSON.parse(broken(text, below));
    } catch {
      continue; // not JSON: the transport refuses it
    }
    try {
      reader(new JsonField(value, 'it'));
      read++;
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
    }
  }
  expect(read).toBeGreaterThan(0);
}, 600_000);

it('proofs and stored blocks', () => {
  const below = random(20_260_103);
  const [golden] = vectorsOf('ics23/proofs.json') as {
    versions: { hash: string }[];
    proofs: {
      store: string;
      key: string;
      version: number;
      value: string;
      exists: boolean;
      ops: { type: string; key: string; data: string }[];
    }[];
  }[];
  const { versions, proofs } = defined(golden, 'proofs');
  const stored = encodeLightBlock(light);
  for (let run = 0; run < RUNS; run++) {
    const proof = defined(proofs[run % proofs.length], 'proof');
    const ops = proof.ops.map(({ type, key, data }) => ({ type, key: fromHex(key), data: fromHex(data) }));
    const data = defined(ops[run % 2], 'op').data;
    const at = below(data.length);
    data[at] = (data[at] ?? 0) ^ (1 + below(255));
    const claim = {
      appHash: fromHex(defined(versions[proof.version - 1], 'version').hash),
      store: proof.store,
      key: fromHex(proof.key),
      value: proof.exists ? fromHex(proof.value) : undefined,
    };
    expect(() => verifyStoreProof(ops, claim)).toThrow(LedgerError);
    const bytes = Uint8Array.from(stored);
    bytes[below(bytes.length)] = below(256);
    try {
      decodeLightBlock(bytes.subarray(0, below(8) === 0 ? below(bytes.length) : bytes.length));
    } catch (error) {
      if (!(error instanceof LedgerError)) throw error;
    }
  }
}, 600_000);
