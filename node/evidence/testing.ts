/** A made-up chain to judge evidence by: nothing is really signed; a signature is good when its first byte is 1. */
import { duplicateVoteEvidence, type DuplicateVoteEvidence } from '../../consensus/types/duplicate-vote.ts';
import type { Evidence } from '../../consensus/types/evidence.ts';
import type { Header } from '../../consensus/types/header.ts';
import type { VerifySignature } from '../../consensus/types/public-key.ts';
import type { Time } from '../../consensus/types/time.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import { TEST_TIME, testBlock, testValidators, testVote } from '../../consensus/testing/fixtures.ts';
import { EMPTY_BYTES } from '../../core/bytes.ts';
import type { Database } from '../database.ts';
import type { EvidenceChain, EvidenceLogger, EvidenceState } from './ports.ts';

/** The lowest height at which the fourth validator is none any more. */
export const LEFT_AT = 9n;

/** The lowest height of a hundred and one validators, all with one vote each. */
export const MANY_FROM = 1_000n;
const MANY = testValidators(...Array.from({ length: 101 }, () => 1n));

/**
 * Four validators, three from `LEFT_AT` on, many from `MANY_FROM` on; the power of the first is another at
 * every height but of the many.
 */
export function validatorsAt(height: bigint): ValidatorSet {
  if (height >= MANY_FROM) return MANY;
  return testValidators(40n + height, 3n, 2n, ...(height < LEFT_AT ? [1n] : []));
}

/** Good when the first byte is 1. */
export const testVerify: VerifySignature = (_key, _message, signature) => signature[0] === 1;

/** A logger that says nothing. */
export const quiet: EvidenceLogger = { info: () => {}, warn: () => {}, error: () => {} };

/** The time of the block at a height: ten seconds each. */
export function timeAt(height: bigint): Time {
  return { seconds: TEST_TIME.seconds + 10n * height, nanos: 0 };
}

function headerAt(height: bigint): Header {
  return {
    version: { block: 11n, app: 0n },
    chainId: 'test',
    height,
    time: timeAt(height),
    lastBlockId: testBlock(`${height - 1n}`),
    lastCommitHash: EMPTY_BYTES,
    dataHash: EMPTY_BYTES,
    validatorsHash: new Uint8Array(32),
    nextValidatorsHash: new Uint8Array(32),
    consensusHash: EMPTY_BYTES,
    appHash: EMPTY_BYTES,
    lastResultsHash: EMPTY_BYTES,
    evidenceHash: EMPTY_BYTES,
    proposerAddress: new Uint8Array(20),
  };
}

/** A chain whose blocks are all alike, but for the evidence put into them; its validators change. */
export class TestChain implements EvidenceChain {
  base = 1n;
  height: bigint;
  maxAgeNumBlocks = 20n;
  readonly evidenceAt: Map<bigint, readonly Evidence[]> = new Map();

  constructor(height: bigint) {
    this.height = height;
  }

  range(): { readonly base: bigint; readonly height: bigint } {
    return { base: this.base, height: this.height };
  }

  header(height: bigint): Header | undefined {
    return height >= this.base && height <= this.height ? headerAt(height) : undefined;
  }

  commit(): undefined {
    return undefined;
  }

  validators(height: bigint): ValidatorSet | undefined {
    return height >= this.base && height <= this.height + 2n ? validatorsAt(height) : undefined;
  }

  evidence(height: bigint): readonly Evidence[] {
    return this.evidenceAt.get(height) ?? [];
  }

  /** The state after the highest block: evidence counts for 100 seconds, and for 20 blocks unless told. */
  state(maxBytes = 10_000n): EvidenceState {
    return {
      chainId: 'test',
      lastBlockHeight: this.height,
      lastBlockTime: timeAt(this.height),
      consensusParams: {
        evidence: {
          maxAgeNumBlocks: this.maxAgeNumBlocks,
          maxAgeDuration: { seconds: 100n, nanos: 0 },
          maxBytes,
        },
      },
    };
  }
}

/** Two votes of a validator in round 0 of a height, for blocks `a` and `b`. */
export function testConflict(
  height: bigint,
  from = 0,
  names: readonly string[] = ['a', 'b'],
): { first: Vote; second: Vote } {
  const vote = (name: string | undefined): Vote =>
    testVote(validatorsAt(height), {
      type: 'prevote',
      round: 0,
      from,
      height,
      ...(name === undefined ? {} : { for: name }),
    });
  return { first: vote(names[0]), second: vote(names[1]) };
}

/** Evidence of such votes. */
export function testEvidence(
  height: bigint,
  from = 0,
  names: readonly string[] = ['a', 'b'],
): DuplicateVoteEvidence {
  const votes = testConflict(height, from, names);
  return duplicateVoteEvidence({ ...votes, blockTime: timeAt(height), validators: validatorsAt(height) });
}

/** A database in memory. */
export function memoryDatabase(): Database & { readonly syncs: number } {
  const entries = new Map<string, Uint8Array>();
  const name = (key: Uint8Array): string => Buffer.from(key).toString('latin1');
  const database = {
    syncs: 0,
    getSync: (key: Uint8Array) => entries.get(name(key)),
    batch: () => {
      const writes: (() => void)[] = [];
      return {
        put: (key: Uint8Array, value: Uint8Array) => writes.push(() => void entries.set(name(key), value)),
        del: (key: Uint8Array) => writes.push(() => void entries.delete(name(key))),
        write: async ({ sync = false } = {}) => {
          for (const write of writes) write();
          if (sync) database.syncs++;
        },
      };
    },
    close: async () => {},
  };
  return database;
}
