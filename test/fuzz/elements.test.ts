/**
 * Two bytes may claim to be an element of a list, which takes a hundred times that in memory. Every decoder
 * of outside bytes counts elements as it reads them, up to what some limit allows anyway: validators,
 * snapshots, addresses, the depth of a tree.
 */
import { expect, test } from 'vitest';
import { blockTxsMax, decodeBlock } from '../../consensus/types/block.ts';
import { commitToMessage, decodeCommit, EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import {
  decodeEvidence,
  decodeEvidenceList,
  encodeEvidenceList,
  evidenceElements,
  evidenceToMessage,
} from '../../consensus/types/evidence.ts';
import { decodeLightBlock } from '../../consensus/types/light-block.ts';
import { BLOCK_ELEMENTS_MAX } from '../../consensus/types/limits.ts';
import { decodePart } from '../../consensus/types/part-set.ts';
import { decodeValidatorSet } from '../../consensus/types/validator-set.ts';
import { concatBytes, EMPTY_BYTES } from '../../core/bytes.ts';
import { DecodeError, messageOf } from '../../core/errors.ts';
import { encodeUvarint } from '../../core/varint.ts';
import { verifyStoreProof } from '../../light/proof/store-proof.ts';
import { decodeBlockResponse, decodeRange } from '../../node/blocksync/messages.ts';
import { decodeDataMessage, decodeStateMessage, decodeVoteMessage } from '../../node/gossip/messages.ts';
import {
  decodeBlockBytes,
  decodeLightBlockResponse,
  decodeSnapshots,
} from '../../node/statesync/messages.ts';
import { decodeTxs } from '../../node/tx-gossip.ts';
import { decodeAddressesResponse } from '../../p2p/exchange.ts';
import { ADDRESSES_BYTES_MAX, ADDRESSES_MAX } from '../../p2p/exchange-limits.ts';
import { Block as BlockMessage } from '../../proto/gen/tendermint/types/block.ts';
import { EvidenceList } from '../../proto/gen/tendermint/types/evidence.ts';
import { repeated } from './mutate-protobuf.ts';
import { allocatedBy } from './run.ts';
import { hexVectors } from './targets/vectors.ts';

const ELEMENTS = 1_000_000;
/** Without a bound it is a hundred and more. */
const ALLOCATED_BYTES_MAX = 24 * 1024 * 1024;

/** Content inside of these fields, the outermost first. */
function inside(path: readonly number[], content: Uint8Array): Uint8Array {
  return path.reduceRight(
    (bytes, field) => concatBytes(Uint8Array.of(field * 8 + 2), encodeUvarint(BigInt(bytes.length)), bytes),
    content,
  );
}

/** So many empty elements of the last field of a path. */
function elements(path: readonly number[], count: number = ELEMENTS): Uint8Array {
  return inside(path.slice(0, -1), repeated(Uint8Array.of((path.at(-1) ?? 0) * 8 + 2, 0), count));
}

const PROOF_ERROR = 'a proof cannot be read';
const claim = { appHash: new Uint8Array(32), store: 'a', key: new Uint8Array(1), value: undefined };
const proven = (data: Uint8Array): void =>
  verifyStoreProof(
    ['ics23:iavl', 'ics23:simple'].map((type) => ({ type, key: new Uint8Array(1), data })),
    claim,
  );

type Case = readonly [name: string, path: readonly number[], read: (bytes: Uint8Array) => unknown];

const cases: readonly Case[] = [
  ['a commit', [4], decodeCommit],
  ['a validator set', [1], decodeValidatorSet],
  ['a light block: commit', [1, 2, 4], decodeLightBlock],
  ['a light block: validators', [2, 1], decodeLightBlock],
  ['an answer with a light block', [2, 1], (bytes) => decodeLightBlockResponse(1n, bytes)],
  ['an answer with a block', [2, 4], (bytes) => decodeBlockResponse({ height: 1n, blocksMax: 1 }, bytes)],
  ['an answer with blocks', [3], (bytes) => decodeBlockResponse({ height: 1n, blocksMax: 9 }, bytes)],
  [
    'cometbft#5860: an answer with blocks: a commit',
    [3, 2, 4],
    (bytes) => decodeBlockResponse({ height: 1n, blocksMax: 9 }, bytes),
  ],
  ['an answer with a block that only its bytes are wanted of', [2, 4], decodeBlockBytes],
  ['a status of block sync', [3, 1, 2, 1], decodeRange],
  ['snapshots', [1], decodeSnapshots],
  ['transactions', [1], decodeTxs],
  ['evidence', [2, 1, 2, 1], decodeEvidence],
  ['a list of evidence', [1], decodeEvidenceList],
  ['a part', [3, 4], decodePart],
  ['a message of the data channel', [5, 3, 3, 4], decodeDataMessage],
  ['a message of the votes channel', [5, 3, 3, 4], decodeVoteMessage],
  ['a proof of a store', [1, 4], proven],
];

/** The words of a bit array, a million zeros in one run. */
const words: Case = ['a message of the state channel', [9, 5, 2], decodeStateMessage];

for (const [name, path, read] of [...cases, words]) {
  test(`${name}: a million elements are refused while they are counted`, async () => {
    const input = path === words[1] ? inside(path, new Uint8Array(ELEMENTS)) : elements(path);
    const refusals: string[] = [];
    const attempt = (bytes: Uint8Array): undefined => {
      try {
        read(bytes);
      } catch (error) {
        refusals.push(messageOf(error));
      }
      return undefined;
    };
    const target = { name, form: 'bytes', seeds: [], bytesMax: 0, documented: () => false } as const;
    const allocated = await allocatedBy({ ...target, read: attempt }, input, 4);
    expect(new Set(refusals).size).toBe(1);
    expect(refusals[0]).toMatch(new RegExp(`too many elements|${PROOF_ERROR}.*too many elements`));
    expect(allocated).toBeLessThan(ALLOCATED_BYTES_MAX);
  });
}

test('addresses: an answer as long as may be, and of more than were wanted', () => {
  const longest = elements([1], ADDRESSES_BYTES_MAX / 2);
  expect(() => decodeAddressesResponse(longest, ADDRESSES_MAX)).toThrow('too many elements');
  expect(() => decodeAddressesResponse(elements([1], 21), 20)).toThrow('too many elements');
});

const evidence = hexVectors('cometbft/attacks.json', 'cases.evidence').slice(0, 4).map(decodeEvidence);

test('what a proposer counts in evidence is what a decoder counts', () => {
  for (const list of [evidence.slice(0, 1), evidence]) {
    const bytes = encodeEvidenceList(list);
    const count = evidenceElements(list);
    expect(() => EvidenceList.decode(bytes, { elementsMax: count })).not.toThrow();
    expect(() => EvidenceList.decode(bytes, { elementsMax: count - 1 })).toThrow(DecodeError);
  }
});

test('a proposer puts no more transactions beside evidence and commit than a block may have elements', () => {
  const [signature] = evidence.flatMap((each) =>
    each.kind === 'lightClientAttack' ? each.conflictingBlock.commit.signatures : [],
  );
  expect(signature).toBeDefined();
  const signatures = signature === undefined ? [] : [signature, signature, signature];
  const lastCommit = { ...EMPTY_COMMIT, signatures };
  const left = BLOCK_ELEMENTS_MAX - signatures.length - evidenceElements(evidence);
  expect(blockTxsMax({ evidence, lastCommit })).toBe(left);
  const encoded = (count: number): Uint8Array =>
    BlockMessage.encode(
      BlockMessage.create({
        data: { txs: new Array<Uint8Array>(count).fill(EMPTY_BYTES) },
        evidence: { evidence: evidence.map(evidenceToMessage) },
        lastCommit: commitToMessage(lastCommit),
      }),
    );
  // The lists are counted before the hashes are looked at.
  expect(() => decodeBlock(encoded(left))).toThrow(/^(?!.*too many elements)/);
  expect(() => decodeBlock(encoded(left + 1))).toThrow('too many elements');
});
