/** What comes from outside is bounded and checked: each check has something that trips it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { newValidatorSet } from '../proposer.ts';
import { TEST_TIME, testBlock, testProposal, testValidators, testVote } from '../testing/fixtures.ts';
import { cutBlock, dataBytesMax, decodeBlock, encodeBlock } from './block.ts';
import { type BlockContext, makeBlock, verifyBlock } from './block-rules.ts';
import { NIL_BLOCK_ID } from './block-id.ts';
import {
  ABSENT_COMMIT_SIG,
  type Commit,
  checkCommit,
  decodeCommit,
  EMPTY_COMMIT,
  encodeCommit,
} from './commit.ts';
import { checkDuplicateVote, duplicateVoteEvidence, verifyDuplicateVote } from './duplicate-vote.ts';
import { genesisValidatorSet, publicKeyFromJson, publicKeyToJson } from './genesis.ts';
import { checkHeader, decodeHeader } from './header.ts';
import { checkConsensusParams, DEFAULT_CONSENSUS_PARAMS, updateConsensusParams } from './params.ts';
import { decodePart, encodePart, type Part, partsOf } from './part-set.ts';
import { checkProposal, decodeProposal, encodeProposal, partsMax } from './proposal.ts';
import { addressOf } from './public-key.ts';
import { compareTime, isZeroTime, timeFromNanos, timeToNanos, ZERO_TIME } from './time.ts';
import type { Validator, ValidatorSet } from './validator.ts';
import {
  decodeValidatorSet,
  EMPTY_VALIDATOR_SET,
  encodeValidatorSet,
  validatorSetFromMessage,
  validatorSetToMessage,
} from './validator-set.ts';
import { checkVote, decodeVote, encodeVote, type Vote } from './vote.ts';

const FOUR = testValidators(4n, 3n, 2n, 1n);
const VOTE = testVote(FOUR, { type: 'precommit', round: 0, from: 0, for: 'v' });
const PROPOSAL = testProposal({ round: 1, block: 'v', polRound: 0 });
const COMMIT: Commit = {
  height: 1n,
  round: 0,
  blockId: testBlock('v'),
  signatures: FOUR.validators.map(({ address }) => ({
    blockIdFlag: 'commit',
    validatorAddress: address,
    timestamp: { seconds: TEST_TIME.seconds + 5n, nanos: 0 },
    signature: Uint8Array.of(1),
  })),
};
const CONTEXT: BlockContext = {
  chainId: 'test',
  initialHeight: 1n,
  height: 2n,
  lastBlockId: testBlock('v'),
  lastBlockTime: TEST_TIME,
  lastValidators: FOUR,
  validators: FOUR,
  nextValidators: FOUR,
  consensusParams: DEFAULT_CONSENSUS_PARAMS,
  appHash: sha256(Uint8Array.of(1)),
  lastResultsHash: sha256(Uint8Array.of(2)),
};
const yes = (): boolean => true;

function proposerAddress(set: ValidatorSet): Uint8Array {
  return set.proposer?.address ?? new Uint8Array(0);
}
function block(txs: readonly Uint8Array[] = []): ReturnType<typeof makeBlock> {
  return makeBlock(CONTEXT, {
    txs,
    evidence: [],
    lastCommit: COMMIT,
    proposerAddress: proposerAddress(FOUR),
  });
}

describe('votes, proposals and commits', () => {
  const hash = new Uint8Array(32);

  it('go through their encoding unchanged', () => {
    expect(encodeVote(decodeVote(encodeVote(VOTE)))).toEqual(encodeVote(VOTE));
    expect(encodeProposal(decodeProposal(encodeProposal(PROPOSAL)))).toEqual(encodeProposal(PROPOSAL));
    expect(encodeCommit(decodeCommit(encodeCommit(COMMIT)))).toEqual(encodeCommit(COMMIT));
    expect(decodeCommit(encodeCommit(EMPTY_COMMIT)).signatures).toEqual([]);
  });

  it('are refused when something is out of bounds', () => {
    const votes: Partial<Vote>[] = [
      { height: 0n },
      { height: -1n },
      { round: -1 },
      { round: 2 ** 31 },
      { blockId: { hash, partSetHeader: { total: 0, hash } } },
      { blockId: { hash: new Uint8Array(31), partSetHeader: { total: 1, hash } } },
      { blockId: { hash: new Uint8Array(0), partSetHeader: { total: 1, hash: new Uint8Array(0) } } },
      { validatorAddress: new Uint8Array(19) },
      { validatorIndex: -1 },
      { validatorIndex: 10_000 },
      { signature: new Uint8Array(0) },
      { signature: new Uint8Array(65) },
      { timestamp: { seconds: 0n, nanos: 1_000_000_000 } },
      { timestamp: { seconds: 1n << 40n, nanos: 0 } },
      { extension: Uint8Array.of(1) },
      { extensionSignature: new Uint8Array(65) },
      { type: 'prevote', extension: Uint8Array.of(1), extensionSignature: Uint8Array.of(1) },
    ];
    for (const change of votes) expect(() => checkVote({ ...VOTE, ...change })).toThrow(DecodeError);
    const proposals = [
      { polRound: 1 },
      { polRound: -2 },
      { round: -1 },
      { height: 0n },
      { blockId: NIL_BLOCK_ID },
      { signature: new Uint8Array(0) },
    ];
    for (const change of proposals)
      expect(() => checkProposal({ ...PROPOSAL, ...change })).toThrow(DecodeError);
    const [entry = ABSENT_COMMIT_SIG] = COMMIT.signatures;
    const commits: Partial<Commit>[] = [
      { height: -1n },
      { height: 0n },
      { round: -1 },
      { blockId: NIL_BLOCK_ID },
      { signatures: [] },
      { signatures: [{ ...entry, blockIdFlag: 'absent' }] },
      { signatures: [{ ...ABSENT_COMMIT_SIG, timestamp: { seconds: 0n, nanos: 0 } }] },
      { signatures: [{ ...entry, validatorAddress: new Uint8Array(0) }] },
      { signatures: [{ ...entry, signature: new Uint8Array(65) }] },
    ];
    for (const change of commits) expect(() => checkCommit({ ...COMMIT, ...change })).toThrow(DecodeError);
  });

  it('are refused when there are more entries than validators can be', () => {
    const [entry = ABSENT_COMMIT_SIG] = COMMIT.signatures;
    const flood = { ...COMMIT, signatures: new Array<typeof entry>(10_001).fill(entry) };
    expect(() => decodeCommit(encodeCommit(flood))).toThrow(/too many elements/);
  });

  it('allow as many parts as the block size needs', () => {
    expect([partsMax(1n), partsMax(65_536n), partsMax(65_537n), partsMax(-1n)]).toEqual([1, 1, 2, 336]);
  });
});

describe('decoders', () => {
  const decoders = [
    decodeVote,
    decodeProposal,
    decodeCommit,
    decodeHeader,
    decodePart,
    decodeBlock,
    decodeValidatorSet,
  ];
  const good = [
    encodeVote(VOTE),
    encodeProposal(PROPOSAL),
    encodeCommit(COMMIT),
    encodeBlock(block([Uint8Array.of(1, 2)])),
    encodeValidatorSet(FOUR),
    encodePart(partsOf(Uint8Array.of(1)).parts[0] as Part),
  ];

  it('answer any bytes with a value or a DecodeError', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .record({ base: fc.constantFrom(...good), at: fc.nat(), byte: fc.nat(255), cut: fc.nat(300) })
        .map(({ base, at, byte, cut }) => {
          const changed = Uint8Array.from(base);
          changed[at % changed.length] = byte;
          return changed.subarray(0, Math.max(1, changed.length - (cut > 150 ? 0 : cut)));
        }),
    );
    fc.assert(
      fc.property(bytes, fc.constantFrom(...decoders), (input, decode) => {
        try {
          decode(input);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe('blocks', () => {
  it('that follow from the state are taken, and changed ones are not', () => {
    const made = block([Uint8Array.of(7)]);
    expect(() => verifyBlock(decodeBlock(cutBlock(made).bytes), CONTEXT, yes)).not.toThrow();
    const { header } = made;
    const other = sha256(Uint8Array.of(99));
    const changes: [string, Partial<typeof header>][] = [
      ['block.version', { version: { block: 11n, app: 1n } }],
      ['block.chain_id', { chainId: 'other' }],
      ['block.height', { height: 3n }],
      ['block.last_block_id', { lastBlockId: testBlock('w') }],
      ['block.app_hash', { appHash: other }],
      ['block.consensus_hash', { consensusHash: other }],
      ['block.results_hash', { lastResultsHash: other }],
      ['block.validators', { validatorsHash: other }],
      ['block.next_validators', { nextValidatorsHash: other }],
      ['block.proposer', { proposerAddress: new Uint8Array(20) }],
      ['block.time', { time: { ...header.time, nanos: 1 } }],
    ];
    for (const [code, change] of changes) {
      const changed = { ...made, header: { ...header, ...change } };
      expect(() => verifyBlock(changed, CONTEXT, yes), code).toThrow(expect.objectContaining({ code }));
    }
    expect(() => verifyBlock(made, CONTEXT, () => false)).toThrow(
      expect.objectContaining({ code: 'commit.signature' }),
    );
    const swapped = { ...CONTEXT, lastBlockTime: header.time };
    expect(() => verifyBlock(made, swapped, yes)).toThrow(expect.objectContaining({ code: 'block.time' }));
  });

  it('the first one has the genesis time and no commit', () => {
    const context = {
      ...CONTEXT,
      height: 1n,
      lastBlockId: NIL_BLOCK_ID,
      lastValidators: EMPTY_VALIDATOR_SET,
    };
    const content = { txs: [], evidence: [], proposerAddress: proposerAddress(FOUR) };
    const made = makeBlock(context, { ...content, lastCommit: EMPTY_COMMIT });
    expect(made.header.time).toEqual(TEST_TIME);
    expect(() => verifyBlock(decodeBlock(encodeBlock(made)), context, yes)).not.toThrow();
    const signed = makeBlock(context, { ...content, lastCommit: COMMIT });
    expect(() => verifyBlock(signed, context, yes)).toThrow(
      expect.objectContaining({ code: 'block.last_commit' }),
    );
  });

  it('are refused when a hash in the header is not that of the content', () => {
    const made = block([Uint8Array.of(1)]);
    const forged = [
      { ...made, txs: [] },
      { ...made, lastCommit: { ...COMMIT, signatures: COMMIT.signatures.slice(1) } },
      { ...made, header: { ...made.header, evidenceHash: new Uint8Array(32) } },
    ];
    for (const bad of forged) expect(() => decodeBlock(encodeBlock(bad))).toThrow(DecodeError);
  });

  it('headers are refused when a field is out of bounds', () => {
    const { header } = block();
    const bad: Partial<typeof header>[] = [
      { version: { block: 10n, app: 0n } },
      { chainId: 'x'.repeat(51) },
      { height: 0n },
      { dataHash: new Uint8Array(31) },
      { validatorsHash: new Uint8Array(0) },
      { proposerAddress: new Uint8Array(21) },
      { appHash: new Uint8Array(129) },
      { time: { seconds: 0n, nanos: -1 } },
    ];
    expect(checkHeader(header)).toBe(header);
    for (const change of bad) expect(() => checkHeader({ ...header, ...change })).toThrow(DecodeError);
  });

  it('leave room for transactions, never less than none', () => {
    const room = { blockBytesMax: 22_020_096n, evidenceBytes: 0n, validators: 4 };
    expect(dataBytesMax(room)).toBe(22_020_096n - 11n - 626n - 94n - 444n);
    expect(dataBytesMax({ ...room, blockBytesMax: 100n })).toBe(0n);
  });
});

describe('validator sets', () => {
  it('are refused when they do not add up', () => {
    const message = validatorSetToMessage(FOUR);
    const [first, ...rest] = message.validators;
    if (first === undefined) throw new Error('no validator');
    expect(validatorSetFromMessage(message)).toEqual(FOUR);
    const bad = [
      { ...message, validators: [first, first, ...rest] },
      { ...message, validators: [{ ...first, address: new Uint8Array(20) }, ...rest] },
      { ...message, validators: [{ ...first, votingPower: 0n }, ...rest] },
      { ...message, validators: [{ ...first, votingPower: -5n }, ...rest] },
      { ...message, validators: [{ ...first, votingPower: 1n << 62n }, ...rest] },
      {
        ...message,
        validators: [{ ...first, pubKey: { ed25519: undefined, secp256k1: undefined } }, ...rest],
      },
      {
        ...message,
        validators: [{ ...first, pubKey: { ...first.pubKey, ed25519: new Uint8Array(31) } }, ...rest],
      },
      { ...message, proposer: undefined },
      { ...message, validators: rest, proposer: first },
      { ...message, validators: new Array(10_001).fill(first) },
    ];
    for (const set of bad) expect(() => validatorSetFromMessage(set)).toThrow(DecodeError);
    expect(decodeValidatorSet(new Uint8Array(0))).toEqual(EMPTY_VALIDATOR_SET);
  });

  it('come from genesis with checked addresses and powers', () => {
    const listed = FOUR.validators.map(({ address, publicKey, votingPower }: Validator) => ({
      address,
      publicKey,
      power: votingPower,
      name: '',
    }));
    expect(genesisValidatorSet(listed)).toEqual(FOUR);
    const [one, two] = listed;
    if (one === undefined || two === undefined) throw new Error('no validators');
    expect(() => genesisValidatorSet([{ ...one, power: 0n }])).toThrow(/positive power/);
    expect(() => genesisValidatorSet([{ ...one, address: two.address }])).toThrow(/address/);
    expect(() => genesisValidatorSet([one, one])).toThrow(
      expect.objectContaining({ code: 'validators.duplicate' }),
    );
    expect(genesisValidatorSet([{ ...one, address: new Uint8Array(0) }]).validators[0]?.address).toEqual(
      addressOf(one.publicKey),
    );
    expect(addressOf(publicKeyFromJson(publicKeyToJson(one.publicKey)))).toEqual(one.address);
    expect(() => publicKeyFromJson({ type: 'tendermint/PubKeySr25519', value: '' })).toThrow(DecodeError);
  });
});

describe('evidence', () => {
  const vote = (block: string | undefined, round = 0): Vote =>
    testVote(FOUR, { type: 'prevote', round, from: 2, ...(block === undefined ? {} : { for: block }) });
  const against = { chainId: 'test', validators: FOUR, verify: yes };
  const made = duplicateVoteEvidence({
    first: vote('v'),
    second: vote('w'),
    blockTime: TEST_TIME,
    validators: FOUR,
  });

  it('is the same whichever vote was first, and true', () => {
    const other = duplicateVoteEvidence({
      first: vote('w'),
      second: vote('v'),
      blockTime: TEST_TIME,
      validators: FOUR,
    });
    expect(other).toEqual(made);
    expect(checkDuplicateVote(made)).toBe(made);
    expect(() => verifyDuplicateVote(made, against)).not.toThrow();
  });

  it('is refused when it proves nothing', () => {
    expect(() => checkDuplicateVote({ ...made, voteA: made.voteB, voteB: made.voteA })).toThrow(DecodeError);
    const lies: [string, typeof made][] = [
      ['evidence.step', { ...made, voteB: { ...made.voteB, round: 1 } }],
      ['evidence.step', { ...made, voteB: { ...made.voteB, type: 'precommit' } }],
      ['evidence.votes', { ...made, voteB: { ...made.voteB, validatorIndex: 1 } }],
      ['evidence.votes', { ...made, voteB: made.voteA }],
      ['evidence.power', { ...made, validatorPower: 9n }],
      ['evidence.power', { ...made, totalVotingPower: 9n }],
    ];
    for (const [code, lie] of lies) {
      expect(() => verifyDuplicateVote(lie, against), code).toThrow(expect.objectContaining({ code }));
    }
    const unsigned = { ...against, verify: () => false };
    expect(() => verifyDuplicateVote(made, unsigned)).toThrow(
      expect.objectContaining({ code: 'evidence.signature' }),
    );
    const strangers = newValidatorSet([
      { publicKey: { type: 'ed25519', bytes: sha256(Uint8Array.of(9)) }, votingPower: 1n },
    ]);
    const foreign = { first: vote('v'), second: vote('w'), blockTime: TEST_TIME, validators: strangers };
    expect(() => duplicateVoteEvidence(foreign)).toThrow(
      expect.objectContaining({ code: 'evidence.validator' }),
    );
  });
});

describe('parameters and time', () => {
  it('parameters are refused when they would stop or flood the chain', () => {
    const p = DEFAULT_CONSENSUS_PARAMS;
    const bad = [
      { ...p, block: { ...p.block, maxBytes: 0n } },
      { ...p, block: { ...p.block, maxBytes: 22_020_097n } },
      { ...p, block: { ...p.block, maxGas: -2n } },
      { ...p, evidence: { ...p.evidence, maxBytes: p.block.maxBytes + 1n } },
      { ...p, evidence: { ...p.evidence, maxAgeNumBlocks: 0n } },
      { ...p, evidence: { ...p.evidence, maxAgeDuration: { seconds: 0n, nanos: 0 } } },
      { ...p, validator: { pubKeyTypes: [] } },
      { ...p, validator: { pubKeyTypes: ['bls12381'] } },
      { ...p, abci: { voteExtensionsEnableHeight: 5n } },
    ];
    for (const params of bad) expect(() => checkConsensusParams(params)).toThrow(/out of bounds/);
    expect(updateConsensusParams(p, undefined)).toBe(p);
    const update = { block: { maxBytes: 5_000_000n, maxGas: 7n } };
    const rest = { evidence: undefined, validator: undefined, version: undefined, abci: undefined };
    expect(updateConsensusParams(p, { ...update, ...rest })).toEqual({ ...p, ...update });
  });

  it('times convert to nanoseconds and back, before 1970 too', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 19n), max: 10n ** 20n }), (nanos) => {
        const time = timeFromNanos(nanos);
        expect(timeToNanos(time)).toBe(nanos);
        expect(time.nanos).toBeGreaterThanOrEqual(0);
        expect(compareTime(time, timeFromNanos(nanos + 1n))).toBeLessThan(0);
      }),
    );
    expect([isZeroTime(ZERO_TIME), isZeroTime({ seconds: 0n, nanos: 0 })]).toEqual([true, false]);
  });
});
