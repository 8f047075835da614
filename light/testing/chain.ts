/** Made-up chains and nodes for tests. Signatures are hashes that only `sign` makes. */
import { concatBytes, EMPTY_BYTES, equalBytes, toHex, utf8 } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { incrementProposerPriority, newValidatorSet, updateValidators } from '../../consensus/proposer.ts';
import { type BlockId, NIL_BLOCK_ID } from '../../consensus/types/block-id.ts';
import { ABSENT_COMMIT_SIG, type Commit, commitSignBytes } from '../../consensus/types/commit.ts';
import { type Header, headerHash } from '../../consensus/types/header.ts';
import type { LightBlock } from '../../consensus/types/light-block.ts';
import type { LightClientAttackEvidence } from '../../consensus/types/light-client-attack.ts';
import { addressOf, type VerifySignature } from '../../consensus/types/public-key.ts';
import { type Time, timeFromNanos, timeToNanos } from '../../consensus/types/time.ts';
import type { PublicKey, ValidatorSet } from '../../consensus/types/validator.ts';
import { validatorsHash } from '../../consensus/types/validator-set.ts';
import type { LightClock } from '../ports.ts';
import { type LightProvider, providerError } from '../provider.ts';

export const CHAIN_ID = 'light-test';
export const SECOND: bigint = 1_000_000_000n;
/** Blocks are a second apart; block 1 has this time. */
export const START: Time = { seconds: 1_700_000_001n, nanos: 0 };

/** The time of a block, or so many seconds after the start. */
export const timeAt = (height: bigint): Time => timeFromNanos(timeToNanos(START) + (height - 1n) * SECOND);

/** Names and powers. */
export type Powers = Readonly<Record<string, bigint>>;

export const keyOf = (name: string): PublicKey => ({ type: 'ed25519', bytes: sha256(utf8(name)) });
export const addressOfName = (name: string): Uint8Array => addressOf(keyOf(name));

const sign = (key: PublicKey, message: Uint8Array): Uint8Array =>
  concatBytes(sha256(concatBytes(utf8('signed'), key.bytes, message)), sha256(key.bytes));

export const verify: VerifySignature = (key, message, signature) => equalBytes(sign(key, message), signature);

/** What a chain is made of. Everything but the length has a default. */
export interface ChainPlan {
  readonly length: number;
  /** The validators of a height. */
  readonly validators?: (height: bigint) => Powers;
  readonly round?: number;
  /** Who does not sign. */
  readonly absent?: (height: bigint) => readonly string[];
  /** Begins as another chain, up to that height. */
  readonly fork?: { readonly of: readonly LightBlock[]; readonly at: bigint };
  /** Changes what the header would be. */
  readonly header?: (header: Header) => Partial<Header>;
}

/** The blocks 1 to `length`. */
export function testChain(plan: ChainPlan): readonly LightBlock[] {
  const { length, validators = () => ({ a: 10n, b: 10n, c: 10n, d: 10n }), fork } = plan;
  const blocks = fork === undefined ? [] : fork.of.slice(0, Number(fork.at));
  const last = blocks.at(-1);
  let set =
    last === undefined
      ? newValidatorSet(changes({}, validators(1n)))
      : nextSet(last.validators, {
          before: validators(last.header.height),
          after: validators(last.header.height + 1n),
        });
  for (let height = BigInt(blocks.length) + 1n; height <= BigInt(length); height++) {
    const next = nextSet(set, { before: validators(height), after: validators(height + 1n) });
    blocks.push(makeBlock(plan, { height, set, next, last: blocks.at(-1) }));
    set = next;
  }
  return blocks;
}

function changes(before: Powers, after: Powers): { publicKey: PublicKey; votingPower: bigint }[] {
  const removed = Object.keys(before).filter((name) => after[name] === undefined);
  const given = Object.entries(after).filter(([name, power]) => before[name] !== power);
  return [
    ...removed.map((name) => ({ publicKey: keyOf(name), votingPower: 0n })),
    ...given.map(([name, votingPower]) => ({ publicKey: keyOf(name), votingPower })),
  ];
}

function nextSet(
  set: ValidatorSet,
  powers: { readonly before: Powers; readonly after: Powers },
): ValidatorSet {
  return incrementProposerPriority(updateValidators(set, changes(powers.before, powers.after)), 1);
}

function makeBlock(
  plan: ChainPlan,
  at: {
    readonly height: bigint;
    readonly set: ValidatorSet;
    readonly next: ValidatorSet;
    readonly last: LightBlock | undefined;
  },
): LightBlock {
  const { height, set, next, last } = at;
  const planned: Header = {
    version: { block: 11n, app: 0n },
    chainId: CHAIN_ID,
    height,
    time: timeAt(height),
    lastBlockId: last?.commit.blockId ?? NIL_BLOCK_ID,
    lastCommitHash: sha256(EMPTY_BYTES),
    dataHash: sha256(EMPTY_BYTES),
    validatorsHash: validatorsHash(set),
    nextValidatorsHash: validatorsHash(next),
    consensusHash: sha256(utf8('params')),
    appHash: sha256(utf8(`state ${height}`)),
    lastResultsHash: sha256(EMPTY_BYTES),
    evidenceHash: sha256(EMPTY_BYTES),
    proposerAddress: defined(set.proposer, 'proposer').address,
  };
  const header = { ...planned, ...plan.header?.(planned) };
  const absent = plan.absent?.(height) ?? [];
  const commit = testCommit({ header, validators: set, absent, round: plan.round ?? 0 });
  return { header, validators: set, commit };
}

/** A commit for a header, signed by all but some. */
export function testCommit(made: {
  readonly header: Header;
  readonly validators: ValidatorSet;
  readonly absent?: readonly string[];
  readonly round?: number;
  /** Default: the scheme of these chains. */
  readonly sign?: (key: PublicKey, message: Uint8Array) => Uint8Array;
}): Commit {
  const { header, validators, absent = [], round = 0, sign: signBytes = sign } = made;
  const hash = headerHash(header);
  const blockId: BlockId = { hash, partSetHeader: { total: 1, hash } };
  const missing = new Set(absent.map((name) => toHex(addressOfName(name))));
  const unsigned: Commit = {
    height: header.height,
    round,
    blockId,
    signatures: validators.validators.map(({ address }) =>
      missing.has(toHex(address))
        ? ABSENT_COMMIT_SIG
        : {
            blockIdFlag: 'commit',
            validatorAddress: address,
            timestamp: header.time,
            signature: EMPTY_BYTES,
          },
    ),
  };
  const signatures = unsigned.signatures.map((entry, i) => {
    const message = commitSignBytes(header.chainId, unsigned, i);
    const validator = validators.validators[i];
    if (message === undefined || validator === undefined) return entry;
    return { ...entry, signature: signBytes(validator.publicKey, message) };
  });
  return { ...unsigned, signatures };
}

/** A node with a chain, which may lie, be silent, and remembers what it was asked and told. */
export class TestProvider implements LightProvider {
  readonly chainId: string = CHAIN_ID;
  readonly name: string;
  readonly asked: (bigint | undefined)[] = [];
  readonly evidence: LightClientAttackEvidence[] = [];
  readonly #blocks: Map<bigint, LightBlock>;
  /** What it throws instead of an answer. */
  failure: unknown;

  constructor(name: string, blocks: readonly LightBlock[]) {
    this.name = name;
    this.#blocks = new Map(blocks.map((block) => [block.header.height, block]));
  }

  set(block: LightBlock): this {
    this.#blocks.set(block.header.height, block);
    return this;
  }

  remove(...heights: readonly bigint[]): this {
    for (const height of heights) this.#blocks.delete(height);
    return this;
  }

  lightBlock(height: bigint | undefined): Promise<LightBlock> {
    this.asked.push(height);
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const heights = [...this.#blocks.keys()];
    const last = heights.reduce((a, b) => (b > a ? b : a), 0n);
    const block = this.#blocks.get(height ?? last);
    if (block !== undefined) return Promise.resolve(block);
    const code = (height ?? 0n) > last ? 'light.height_too_high' : 'light.not_found';
    return Promise.reject(providerError(code, 'no such block', { provider: this.name, height }));
  }

  reportEvidence(evidence: LightClientAttackEvidence): Promise<void> {
    this.evidence.push(evidence);
    return Promise.resolve();
  }
}

/** A clock that stands still but for those who sleep. */
export class TestClock implements LightClock {
  #nanos: bigint;
  readonly slept: number[] = [];
  /** Called before a sleeper wakes. */
  onSleep: () => void = () => undefined;

  constructor(now: Time) {
    this.#nanos = timeToNanos(now);
  }

  now(): Time {
    return timeFromNanos(this.#nanos);
  }

  sleep(ms: number): Promise<void> {
    this.slept.push(ms);
    this.#nanos += BigInt(ms) * 1_000_000n;
    this.onSleep();
    return Promise.resolve();
  }
}
