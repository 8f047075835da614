import { expect, test } from 'vitest';
import { newValidatorSet } from '../../consensus/proposer.ts';
import { type BlockId, equalBlockId, NIL_BLOCK_ID } from '../../consensus/types/block-id.ts';
import { BLOCK_PART_BYTES } from '../../consensus/types/limits.ts';
import { partsOf } from '../../consensus/types/part-set.ts';
import type { Proposal } from '../../consensus/types/proposal.ts';
import { proposalSignBytes, voteSignBytes } from '../../consensus/types/sign-bytes.ts';
import type { Validator } from '../../consensus/types/validator.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import type { ConsensusReader, VotesView } from '../../consensus/view.ts';
import { EMPTY_BYTES, toHex, utf8 } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { BlockAssembly } from './block-assembly.ts';
import { FUTURE_PARTS_LIMITS, Inbox, INPUT_LIMITS, type Taken } from './inbox.ts';

const CHAIN = 'inbox-test';
const keys = [1, 2, 3, 4].map((index) => Uint8Array.from(sha256(Uint8Array.of(index))));
const set = newValidatorSet(
  keys.map((bytes) => ({ publicKey: { type: 'ed25519', bytes }, votingPower: 1n })),
);
const blockId: BlockId = { hash: sha256(utf8('b')), partSetHeader: { total: 1, hash: sha256(utf8('p')) } };
const timestamp = { seconds: 1_700_000_000n, nanos: 0 };

/** A signature scheme for tests: the hash of key and message, twice. */
const signature = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  Buffer.concat([sha256(Buffer.concat([key, message])), sha256(key)]);

function vote(index: number, change: Partial<Vote> = {}): Vote {
  const validator = defined(set.validators[index], 'validator');
  const unsigned: Vote = {
    type: 'prevote',
    height: 10n,
    round: 0,
    blockId,
    validatorAddress: validator.address,
    validatorIndex: index,
    timestamp,
    signature: EMPTY_BYTES,
    extension: EMPTY_BYTES,
    extensionSignature: EMPTY_BYTES,
    ...change,
  };
  return { ...unsigned, signature: signature(validator.publicKey.bytes, voteSignBytes(CHAIN, unsigned)) };
}

function proposalOf(validator: Validator, change: Partial<Proposal> = {}): Proposal {
  const unsigned = {
    height: 10n,
    round: 0,
    polRound: -1,
    blockId,
    timestamp,
    signature: EMPTY_BYTES,
    ...change,
  };
  return { ...unsigned, signature: signature(validator.publicKey.bytes, proposalSignBytes(CHAIN, unsigned)) };
}

interface World {
  readonly inbox: Inbox;
  readonly assembly: BlockAssembly;
  readonly faults: string[];
  readonly known: Map<string, Vote>;
  checks: number;
  take(message: Parameters<Inbox['push']>[0]): Taken | undefined;
}

function world(): World {
  const known = new Map<string, Vote>();
  const faults: string[] = [];
  const votes = (round: number, type: string): VotesView => ({
    bits: { length: 4, bytes: new Uint8Array(1) },
    majority: undefined,
    vote: (index) => known.get(`${round} ${type} ${index}`),
    bitsFor: () => ({ length: 4, bytes: new Uint8Array(1) }),
    voteFor: (index, id) => {
      const vote = known.get(`${round} ${type} ${index}`);
      return vote !== undefined && equalBlockId(vote.blockId, id) ? vote : undefined;
    },
  });
  const core: ConsensusReader = {
    view: () => {
      throw new Error('not read');
    },
    validators: () => set,
    proposer: (round) => (round <= 16 ? set.validators[round % 4] : undefined),
    proposal: () => undefined,
    votes,
    voteRounds: () => [],
    lastPrecommits: () => undefined,
    lastVotes: (round, type) => votes(round, `last ${type}`),
    lastCommit: () => undefined,
  };
  const assembly = new BlockAssembly();
  assembly.reset(-1n);
  const made = {
    assembly,
    faults,
    known,
    checks: 0,
    inbox: new Inbox({
      core,
      assembly,
      verify: (key, message, bytes) => {
        made.checks++;
        return toHex(signature(key.bytes, message)) === toHex(bytes);
      },
      publisher: {
        publish: () => undefined,
        misbehaved: (peer, reason) => faults.push(`${peer}: ${reason}`),
      },
    }),
    take(message: Parameters<Inbox['push']>[0]): Taken | undefined {
      made.inbox.push(message, 'peer');
      return made.inbox.next({ chainId: CHAIN, height: 10n, validators: set, lastValidators: set });
    },
  };
  return made;
}

test('a good vote becomes an input; the same one again is not even checked', () => {
  const here = world();
  const good = vote(2);
  expect(here.take({ kind: 'vote', vote: good })).toEqual({
    kind: 'input',
    input: { kind: 'vote', vote: good },
  });
  here.known.set('0 prevote 2', good);
  expect(here.take({ kind: 'vote', vote: good })).toEqual({ kind: 'nothing' });
  expect([here.checks, here.faults]).toEqual([1, []]);
});

test('a conflicting vote with a good signature gets through: the core makes evidence of it', () => {
  const here = world();
  here.known.set('0 prevote 2', vote(2));
  expect(here.take({ kind: 'vote', vote: vote(2, { blockId: NIL_BLOCK_ID }) })?.kind).toBe('input');
});

test('votes of nobody, with another index, or a wrong signature are the peer’s fault', () => {
  const here = world();
  const good = vote(1);
  const bad: readonly Vote[] = [
    { ...good, signature: new Uint8Array(64) },
    { ...good, validatorIndex: 2 },
    { ...good, validatorIndex: 9_999 },
    { ...good, validatorAddress: new Uint8Array(20) },
    { ...good, round: 1 },
  ];
  for (const one of bad) expect(here.take({ kind: 'vote', vote: one })).toEqual({ kind: 'nothing' });
  expect(here.faults.length).toBe(bad.length);
});

test('after one wrong signature nothing more of that peer is checked', () => {
  const here = world();
  const forged = { ...vote(1), signature: new Uint8Array(64) };
  const current = { chainId: CHAIN, height: 10n, validators: set, lastValidators: set };
  const ahead = { ...vote(1, { height: 11n }), signature: new Uint8Array(64) };
  here.inbox.push({ kind: 'vote', vote: ahead }, 'attacker');
  for (let i = 0; i < 1000; i++) here.inbox.push({ kind: 'vote', vote: forged }, 'attacker');
  here.inbox.push({ kind: 'vote', vote: vote(2) }, 'honest');
  expect(here.inbox.next(current)?.kind).toBe('nothing');
  expect(here.inbox.futureLength).toBe(1);
  expect(here.inbox.next(current)?.kind).toBe('input');
  expect(here.inbox.next(current)?.kind).toBe('nothing');
  expect([here.checks, here.inbox.length, here.inbox.futureLength]).toEqual([2, 0, 0]);
  expect(here.faults.length).toBe(1);
});

test('late votes of the height before are taken, other votes of other heights dropped without blame', () => {
  const here = world();
  expect(here.take({ kind: 'vote', vote: vote(0, { height: 9n, type: 'precommit' }) })?.kind).toBe('input');
  expect(here.take({ kind: 'vote', vote: vote(0, { height: 9n }) })?.kind).toBe('input');
  expect(here.take({ kind: 'vote', vote: vote(0, { height: 8n, type: 'precommit' }) })?.kind).toBe('nothing');
  expect(here.take({ kind: 'vote', vote: vote(0, { height: 12n }) })?.kind).toBe('nothing');
  expect(here.faults).toEqual([]);
});

const nextHeight = { chainId: CHAIN, height: 11n, validators: set, lastValidators: set };

test('messages of the next height wait for it, each peer with its share', () => {
  const here = world();
  expect(here.take({ kind: 'vote', vote: vote(0, { height: 11n }) })).toEqual({ kind: 'nothing' });
  const [part] = partsOf(utf8('block')).parts;
  const message = { kind: 'blockPart', height: 11n, round: 0, part: defined(part, 'part') } as const;
  for (let i = 0; i < 1000; i++) here.take(message);
  expect(here.inbox.futureLength).toBe(1 + FUTURE_PARTS_LIMITS.peerCount);
  here.inbox.push(message, 'another');
  here.inbox.next({ chainId: CHAIN, height: 10n, validators: set, lastValidators: set });
  expect(here.inbox.futureLength).toBe(2 + FUTURE_PARTS_LIMITS.peerCount);
  here.inbox.releaseFuture();
  expect(here.inbox.length).toBe(2 + FUTURE_PARTS_LIMITS.peerCount);
  expect(here.inbox.futureLength).toBe(0);
  expect(here.checks).toBe(0);
});

test('while a height waits, the proposal of its first round or good votes of a third show that others have begun', () => {
  const here = world();
  const current = { chainId: CHAIN, height: 10n, validators: set, lastValidators: set };
  const give = (message: Parameters<Inbox['push']>[0], peer: string): Taken | undefined => {
    here.inbox.push(message, peer);
    return here.inbox.next(current, nextHeight);
  };
  const [part] = partsOf(utf8('block')).parts;
  const forged = { ...vote(1, { height: 11n }), signature: new Uint8Array(64) };
  expect(give({ kind: 'blockPart', height: 11n, round: 0, part: defined(part, 'part') }, 'a')?.kind).toBe(
    'nothing',
  );
  const proposer = defined(set.proposer, 'proposer');
  const other = defined(
    set.validators.find((one) => one !== proposer),
    'another',
  );
  const late = proposalOf(proposer, { height: 11n, round: 1 });
  expect(give({ kind: 'proposal', proposal: late }, 'a')?.kind).toBe('nothing');
  expect(here.faults).toEqual([]);
  expect(give({ kind: 'proposal', proposal: proposalOf(other, { height: 11n }) }, 'b')?.kind).toBe('nothing');
  here.faults.pop();
  expect(give({ kind: 'vote', vote: forged }, 'liar')?.kind).toBe('nothing');
  expect(here.faults.length).toBe(1);
  // One vote shows nothing, and is not checked twice: whoever signed it may be the only one.
  const before = here.checks;
  for (let i = 0; i < 3; i++)
    expect(give({ kind: 'vote', vote: vote(1, { height: 11n }) }, 'a')?.kind).toBe('nothing');
  expect(here.checks).toBe(before + 1);
  expect(give({ kind: 'vote', vote: vote(2, { height: 11n }) }, 'a')?.kind).toBe('future');
  here.inbox.releaseFuture();
  while (here.inbox.length > 0) here.inbox.next(current);
  expect(give({ kind: 'vote', vote: vote(1, { height: 11n }) }, 'a')?.kind).toBe('nothing');
  expect(give({ kind: 'proposal', proposal: proposalOf(proposer, { height: 11n }) }, 'a')?.kind).toBe(
    'future',
  );
});

test('of what was kept for the next height, one wrong signature of each peer is checked at most', () => {
  const here = world();
  const current = { chainId: CHAIN, height: 10n, validators: set, lastValidators: set };
  const keep = (message: Vote, peer: string): void => {
    here.inbox.push({ kind: 'vote', vote: message }, peer);
    here.inbox.next(current);
  };
  const forged = { ...vote(1, { height: 11n }), signature: new Uint8Array(64) };
  for (let i = 0; i < 500; i++) for (const liar of ['x', 'y']) keep(forged, liar);
  expect(here.inbox.showsOthersAhead(nextHeight)).toBe(false);
  expect([here.checks, here.faults.length, here.inbox.futureLength]).toEqual([2, 2, 0]);
  keep(vote(1, { height: 11n }), 'honest');
  expect(here.inbox.showsOthersAhead(nextHeight)).toBe(false);
  keep(vote(3, { height: 11n }), 'honest');
  expect(here.inbox.showsOthersAhead(nextHeight)).toBe(true);
});

test('a peer with a flood takes neither the room nor the turn of another', () => {
  const here = world();
  const { parts } = partsOf(new Uint8Array(BLOCK_PART_BYTES));
  const part = { kind: 'blockPart', height: 10n, round: 0, part: defined(parts[0], 'part') } as const;
  for (let i = 0; i < 10_000; i++) here.inbox.push(part, 'flood');
  const heldParts = Math.floor(INPUT_LIMITS.peerBytes / BLOCK_PART_BYTES);
  expect(here.inbox.length).toBeLessThanOrEqual(heldParts);
  expect(here.inbox.length).toBeGreaterThan(heldParts - 10);
  const good = vote(2);
  expect(here.take({ kind: 'vote', vote: good })?.kind).toBe('nothing');
  expect(here.inbox.next({ chainId: CHAIN, height: 10n, validators: set, lastValidators: set })?.kind).toBe(
    'input',
  );
});

test('a proposal needs the signature of its round’s proposer, and a round that is near', () => {
  const here = world();
  const proposer = defined(set.validators[0], 'proposer');
  const other = defined(set.validators[1], 'other');
  const good = proposalOf(proposer);
  expect(here.take({ kind: 'proposal', proposal: good })?.kind).toBe('input');
  expect(here.take({ kind: 'proposal', proposal: proposalOf(other) })?.kind).toBe('nothing');
  expect(here.faults.length).toBe(1);
  const far = proposalOf(proposer, { round: 1_000_000 });
  expect(here.take({ kind: 'proposal', proposal: far })?.kind).toBe('nothing');
  expect(here.faults.length).toBe(1);
});

test('a part of a wanted block is handed on; a forged one is the peer’s fault', () => {
  const here = world();
  const { header, parts } = partsOf(utf8('block'));
  const part = defined(parts[0], 'part');
  here.assembly.want(header);
  const forged = { ...part, bytes: utf8('blocc') };
  expect(here.take({ kind: 'blockPart', height: 10n, round: 0, part: forged })?.kind).toBe('nothing');
  expect(here.faults.length).toBe(1);
  const taken = here.take({ kind: 'blockPart', height: 10n, round: 0, part });
  expect(taken).toEqual({ kind: 'part', header, part });
  expect(here.take({ kind: 'blockPart', height: 9n, round: 0, part })?.kind).toBe('nothing');
});

test('nobody is blamed for right parts of a block that is too large, in whatever order they come', () => {
  const { header, parts } = partsOf(new Uint8Array(2 * BLOCK_PART_BYTES));
  const orders = [parts, [...parts].reverse()];
  for (const order of orders) {
    const here = world();
    here.assembly.reset(BigInt(2 * BLOCK_PART_BYTES - 1));
    here.assembly.want(header);
    for (const part of order) {
      const taken = here.take({ kind: 'blockPart', height: 10n, round: 0, part });
      expect(taken).toEqual({ kind: 'part', header, part });
    }
    expect(here.faults).toEqual([]);
    expect(here.assembly.isComplete(header)).toBe(true);
    expect(() => here.assembly.block({ hash: header.hash, partSetHeader: header })).toThrow('too large');
  }
});
