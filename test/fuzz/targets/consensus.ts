/** What consensus is made of, as it stands in blocks, messages and stores. */
import { decodeBlock, encodeBlock } from '../../../consensus/types/block.ts';
import { decodeCommit, encodeCommit } from '../../../consensus/types/commit.ts';
import {
  decodeEvidence,
  decodeEvidenceList,
  encodeEvidence,
  encodeEvidenceList,
} from '../../../consensus/types/evidence.ts';
import { decodeHeader, encodeHeader } from '../../../consensus/types/header.ts';
import { decodeLightBlock, encodeLightBlock } from '../../../consensus/types/light-block.ts';
import { decodePart, encodePart, partsOf } from '../../../consensus/types/part-set.ts';
import { decodeProposal, encodeProposal } from '../../../consensus/types/proposal.ts';
import { decodeValidatorSet, encodeValidatorSet } from '../../../consensus/types/validator-set.ts';
import { decodeVote, encodeVote } from '../../../consensus/types/vote.ts';
import type { Target } from '../target.ts';
import { base64Vectors, hexVectors, isDecodeError } from './vectors.ts';

const KIB = 1024;

function target<T>(
  name: string,
  seeds: readonly Uint8Array[],
  codec: { readonly decode: (bytes: Uint8Array) => T; readonly encode: (value: T) => Uint8Array },
): Target {
  return {
    name: `consensus/${name}`,
    form: 'protobuf',
    seeds,
    bytesMax: 64 * KIB,
    read: (bytes) => {
      const value = codec.decode(bytes);
      return () => codec.encode(value);
    },
    documented: isDecodeError,
  };
}

const blocks = hexVectors('cometbft/blocks.json', 'blocks.bytes');
const evidence = [
  ...hexVectors('cometbft/blocks.json', 'evidence.wrapped'),
  ...hexVectors('cometbft/attacks.json', 'cases.evidence'),
];
const lists = evidence.slice(0, 4).map((bytes) => encodeEvidenceList([decodeEvidence(bytes)]));
const parts = [300, 70_000].flatMap((length) => partsOf(new Uint8Array(length).fill(7)).parts.slice(-1));

export const CONSENSUS_TARGETS: readonly Target[] = [
  target('block', blocks, { decode: decodeBlock, encode: encodeBlock }),
  target('header', hexVectors('cometbft/blocks.json', 'blocks.header'), {
    decode: decodeHeader,
    encode: encodeHeader,
  }),
  target('commit', hexVectors('cometbft/commits.json', 'commits.commit'), {
    decode: decodeCommit,
    encode: encodeCommit,
  }),
  target('vote', hexVectors('cometbft/signing.json', 'votes.bytes'), {
    decode: decodeVote,
    encode: encodeVote,
  }),
  target('proposal', hexVectors('cometbft/signing.json', 'proposals.bytes'), {
    decode: decodeProposal,
    encode: encodeProposal,
  }),
  target('part', parts.map(encodePart), { decode: decodePart, encode: encodePart }),
  target('evidence', evidence, { decode: decodeEvidence, encode: encodeEvidence }),
  target('evidence-list', lists, { decode: decodeEvidenceList, encode: encodeEvidenceList }),
  target('validator-set', hexVectors('cometbft/commits.json', 'broken.validatorSet'), {
    decode: decodeValidatorSet,
    encode: encodeValidatorSet,
  }),
  target('light-block', base64Vectors('light/verify.json', 'blocks'), {
    decode: decodeLightBlock,
    encode: encodeLightBlock,
  }),
];
