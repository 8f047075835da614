import { type Block, cutBlock } from '../../../consensus/types/block.ts';
import { type BlockContext, makeBlock } from '../../../consensus/types/block-rules.ts';
import { verifyDuplicateVote } from '../../../consensus/types/duplicate-vote.ts';
import type { Header } from '../../../consensus/types/header.ts';
import { type ConsensusParams, updateConsensusParams } from '../../../consensus/types/params.ts';
import { resultsHash } from '../../../consensus/types/results.ts';
import { validatorByAddress } from '../../../consensus/types/validator-set.ts';
import { verifyCommit } from '../../../consensus/types/verify-commit.ts';
import { toHex } from '../../../core/bytes.ts';
import { messageOf } from '../../../core/errors.ts';
import type { GenesisDocument } from '../../../genesis/document.ts';
import type { CommittedBlock } from '../../../node/committed-block.ts';
import { genesisOf } from '../../../node/node-settings.ts';
import { CHAIN_ID } from '../chain.ts';
import { type CommittedFact, type Fail, type Invariant, type Subject, blockValue } from '../facts.ts';
import type { SignatureScheme } from '../keys.ts';

/** What a chain of blocks is held against. */
export interface ValidityRules {
  readonly scheme: SignatureScheme;
  readonly genesis: GenesisDocument;
}

const FIRST_HEIGHT = 1n;
const FIELDS = [
  'version',
  'chainId',
  'height',
  'time',
  'lastBlockId',
  'lastCommitHash',
  'dataHash',
  'validatorsHash',
  'nextValidatorsHash',
  'consensusHash',
  'appHash',
  'lastResultsHash',
  'evidenceHash',
] as const satisfies readonly (keyof Header)[];

/**
 * A block is what its id names and no larger than blocks may be; every field of its header is what the block
 * before, its results, the validators and its own content make of it; its last commit carries more than two
 * thirds of the power that decides that height; its proposer is a validator; its evidence is true.
 */
export function validity(fail: Fail, { scheme, genesis }: ValidityRules): Invariant {
  const { consensusParams, genesisTime } = genesisOf(genesis);
  const blocks = new Map<bigint, CommittedBlock>();
  /** Of the block after that height. */
  const params = new Map<bigint, ConsensusParams>([[FIRST_HEIGHT - 1n, consensusParams]]);
  const checked = new Set<bigint>();

  function contextAt(height: bigint, subject: Subject): BlockContext | undefined {
    const previous = blocks.get(height - 1n);
    const consensus = params.get(height - 1n);
    const lastValidators = subject.validatorsAt(height - 1n);
    const validators = subject.validatorsAt(height);
    const nextValidators = subject.validatorsAt(height + 1n);
    if (previous === undefined || consensus === undefined) return undefined;
    if (lastValidators === undefined || validators === undefined || nextValidators === undefined)
      return undefined;
    return {
      chainId: CHAIN_ID,
      initialHeight: FIRST_HEIGHT,
      height,
      lastBlockId: previous.blockId,
      lastBlockTime: previous.block.header.time,
      lastValidators,
      validators,
      nextValidators,
      consensusParams: consensus,
      appHash: previous.results.appHash,
      lastResultsHash: resultsHash(previous.results.txResults),
    };
  }

  function checkForm({ subject, committed: { height, block, blockId } }: CommittedFact): void {
    const { bytes, blockId: own } = cutBlock(block);
    if (blockValue(own) !== blockValue(blockId))
      fail(`block ${height} of ${subject.name} is not the one that its id names`);
    const bytesMax = params.get(height - 1n)?.block.maxBytes ?? -1n;
    if (bytesMax !== -1n && BigInt(bytes.length) > bytesMax)
      fail(`block ${height} of ${subject.name} has ${bytes.length} bytes, and may have ${bytesMax}`);
    if (height === FIRST_HEIGHT && textOf(block.header.time) !== textOf(genesisTime))
      fail(`the first block of ${subject.name} has another time than the genesis`);
  }

  function checkFields(
    { subject, committed: { height, block } }: CommittedFact,
    context: BlockContext,
  ): void {
    const { header, txs, evidence, lastCommit } = block;
    const { proposerAddress } = header;
    const expected = makeBlock(context, { txs, evidence, lastCommit, proposerAddress }).header;
    for (const field of FIELDS) {
      if (textOf(header[field]) !== textOf(expected[field]))
        fail(`block ${height} of ${subject.name} has a wrong ${field}: ${textOf(header[field])}`);
    }
    const announced = blocks.get(height - 1n)?.block.header.nextValidatorsHash;
    if (textOf(header.validatorsHash) !== textOf(announced))
      fail(`block ${height} of ${subject.name} has other validators than the block before announced`);
    if (validatorByAddress(context.validators, proposerAddress) === undefined)
      fail(`block ${height} of ${subject.name} was proposed by somebody who is no validator`);
  }

  function checkEvidence(subject: Subject, height: bigint, { evidence }: Block): void {
    for (const piece of evidence) {
      if (piece.kind !== 'duplicateVote') continue; // those who make attacks tell the true from the false
      const validators = subject.validatorsAt(piece.voteA.height);
      const time = blocks.get(piece.voteA.height)?.block.header.time;
      if (validators === undefined || time === undefined) continue;
      verifyDuplicateVote(piece, { chainId: CHAIN_ID, validators, verify: scheme.verify });
      if (textOf(piece.timestamp) !== textOf(time))
        fail(`block ${height} of ${subject.name} holds evidence with another time than its block`);
    }
  }

  return {
    name: 'validity',
    committed(fact) {
      const { subject, committed } = fact;
      const { height, block, results } = committed;
      if (checked.has(height)) return;
      blocks.set(height, committed);
      const before = params.get(height - 1n);
      if (before !== undefined)
        params.set(height, updateConsensusParams(before, results.consensusParamUpdates));
      const context = contextAt(height, subject);
      if (height === FIRST_HEIGHT || context !== undefined) {
        checked.add(height);
        checkForm(fact);
      }
      if (context === undefined) return;
      try {
        verifyCommit({
          chainId: CHAIN_ID,
          validators: context.lastValidators,
          blockId: context.lastBlockId,
          height: height - 1n,
          commit: block.lastCommit,
          verify: scheme.verify,
        });
        checkFields(fact, context);
        checkEvidence(subject, height, block);
      } catch (error) {
        fail(`block ${height} of ${subject.name} is wrong: ${messageOf(error)}`);
      }
    },
  };
}

/** A value of a header, as text. */
function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return toHex(value);
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.values(value).map(textOf).join('/');
}
