/**
 * The chain as honest nodes committed it, and what its application has to be told of each block: made anew of
 * genesis, blocks and results, not of what some node has stored.
 */
import { BLOCK_ID_FLAG_NUMBER } from '../../../consensus/types/commit.ts';
import type { Evidence } from '../../../consensus/types/evidence.ts';
import { compareBytes, fromHex, toHex } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import type { GenesisDocument } from '../../../genesis/document.ts';
import type { CommittedBlock } from '../../../node/committed-block.ts';
import {
  type Misbehavior,
  MisbehaviorType,
  type RequestFinalizeBlock,
  type Validator,
} from '../../../proto/gen/tendermint/abci/types.ts';

/** What a block changes in the set holds two heights later; the last commit is of the height before. */
const UPDATES_UNTIL_COMMIT = 3n;
const ADDRESS_BYTES = 20;

/** See the file comment. */
export class LiveChain {
  readonly #blocks = new Map<bigint, CommittedBlock>();
  readonly #genesis: GenesisDocument;

  constructor(genesis: GenesisDocument) {
    this.#genesis = genesis;
  }

  /** The first node that commits a height says what it was: `agreement` compares the others. */
  add(committed: CommittedBlock): void {
    if (!this.#blocks.has(committed.height)) this.#blocks.set(committed.height, committed);
  }

  get(height: bigint): CommittedBlock | undefined {
    return this.#blocks.get(height);
  }

  get length(): number {
    return this.#blocks.size;
  }

  /** What the application has to be asked for a block. */
  request({ height, block, blockId }: CommittedBlock): RequestFinalizeBlock {
    const { header, txs, lastCommit, evidence } = block;
    const { signatures, round } = lastCommit;
    const validators = height > 1n ? this.#validatorsAfter(height - UPDATES_UNTIL_COMMIT) : [];
    return {
      txs,
      decidedLastCommit: {
        round,
        votes: validators.map((validator, index) => ({
          validator,
          blockIdFlag: BLOCK_ID_FLAG_NUMBER[signatures[index]?.blockIdFlag ?? 'absent'],
        })),
      },
      misbehavior: evidence.flatMap(misbehaviorOf),
      hash: blockId.hash,
      height,
      time: header.time,
      nextValidatorsHash: header.nextValidatorsHash,
      proposerAddress: header.proposerAddress,
    };
  }

  /** With the changes of all blocks up to this one, in the order of commits. */
  #validatorsAfter(last: bigint): readonly Validator[] {
    const powers = new Map(this.#genesis.validators.map(({ pubKey, power }) => [toHex(pubKey), power]));
    for (let height = 1n; height <= last; height++)
      for (const { pubKey, power } of this.#blocks.get(height)?.results.validatorUpdates ?? [])
        powers.set(toHex(pubKey.ed25519 ?? new Uint8Array(0)), power);
    return [...powers]
      .filter(([, power]) => power > 0n)
      .map(([key, power]) => ({ address: sha256(fromHex(key)).subarray(0, ADDRESS_BYTES), power }))
      .sort((a, b) =>
        a.power === b.power ? compareBytes(a.address, b.address) : a.power > b.power ? -1 : 1,
      );
  }
}

function misbehaviorOf(piece: Evidence): readonly Misbehavior[] {
  const { timestamp: time, totalVotingPower } = piece;
  if (piece.kind === 'duplicateVote') {
    const { voteA, validatorPower: power } = piece;
    const type = MisbehaviorType.DUPLICATE_VOTE;
    const validator = { address: voteA.validatorAddress, power };
    return [{ type, validator, height: voteA.height, time, totalVotingPower }];
  }
  return piece.byzantineValidators.map(({ address, votingPower: power }) => ({
    type: MisbehaviorType.LIGHT_CLIENT_ATTACK,
    validator: { address, power },
    height: piece.commonHeight,
    time,
    totalVotingPower,
  }));
}
