/**
 * A small chain in memory for tests of the server: real blocks with real hashes, made by a fake application
 * whose transactions are `key=value` texts. `fail…` fails in the block, `bad…` is refused by CheckTx.
 */
import { makeBlock } from '../../../consensus/types/block-rules.ts';
import { cutBlock } from '../../../consensus/types/block.ts';
import { type BlockId, NIL_BLOCK_ID } from '../../../consensus/types/block-id.ts';
import { type Commit, EMPTY_COMMIT } from '../../../consensus/types/commit.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../../../consensus/types/params.ts';
import { resultsHash } from '../../../consensus/types/results.ts';
import type { Time } from '../../../consensus/types/time.ts';
import type { ValidatorSet } from '../../../consensus/types/validator.ts';
import { EMPTY_VALIDATOR_SET } from '../../../consensus/types/validator-set.ts';
import { newValidatorSet } from '../../../consensus/proposer.ts';
import { EMPTY_BYTES, toHex, utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import {
  ExecTxResult,
  type RequestCheckTx,
  type RequestQuery,
  ResponseCheckTx,
  ResponseFinalizeBlock,
  ResponseInfo,
  ResponseQuery,
} from '../../../proto/gen/tendermint/abci/types.ts';
import type { ConsensusParams } from '../../../proto/gen/tendermint/types/params.ts';
import type { BlockMeta } from '../../../proto/gen/tendermint/types/types.ts';
import type { CommittedBlock } from '../../committed-block.ts';
import type { BlockSource, StateSource } from '../ports.ts';

export const CHAIN_ID = 'rpc-test-1';
const START: Time = { seconds: 1_700_000_000n, nanos: 0 };

interface StoredBlock {
  readonly committed: CommittedBlock;
  readonly bytes: Uint8Array;
  readonly meta: BlockMeta;
}

/** Blocks as a node has stored them. */
export class TestChain implements BlockSource, StateSource {
  readonly validatorSet: ValidatorSet = newValidatorSet(
    [30n, 20n, 10n].map((votingPower, index) => ({
      publicKey: { type: 'ed25519', bytes: sha256(utf8(`validator ${index}`)) },
      votingPower,
    })),
  );
  readonly #blocks: StoredBlock[] = [];
  #seenCommit: Commit = EMPTY_COMMIT;

  /** Makes the next block and its commit. */
  commitBlock(txs: readonly Uint8Array[] = []): CommittedBlock {
    const last = this.#blocks.at(-1);
    const height = BigInt(this.#blocks.length + 1);
    const block = makeBlock(
      {
        chainId: CHAIN_ID,
        initialHeight: 1n,
        height,
        lastBlockId: last?.committed.blockId ?? NIL_BLOCK_ID,
        lastBlockTime: last?.committed.block.header.time ?? START,
        lastValidators: last === undefined ? EMPTY_VALIDATOR_SET : this.validatorSet,
        validators: this.validatorSet,
        nextValidators: this.validatorSet,
        consensusParams: DEFAULT_CONSENSUS_PARAMS,
        appHash: last?.committed.results.appHash ?? EMPTY_BYTES,
        lastResultsHash: last === undefined ? EMPTY_BYTES : resultsHash(last.committed.results.txResults),
      },
      {
        txs,
        evidence: [],
        lastCommit: this.#seenCommit,
        proposerAddress: this.validatorSet.validators[0]?.address ?? EMPTY_BYTES,
      },
    );
    const { bytes, blockId } = cutBlock(block);
    const committed = { height, block, blockId, results: execute(height, txs) };
    const meta = {
      blockId,
      blockSize: BigInt(bytes.length),
      header: block.header,
      numTxs: BigInt(txs.length),
    };
    this.#blocks.push({ committed, bytes, meta });
    this.#seenCommit = this.#commitFor(height, blockId);
    return committed;
  }

  /** All precommits but that of the last validator. */
  #commitFor(height: bigint, blockId: BlockId): Commit {
    const seconds = START.seconds + height;
    return {
      height,
      round: 0,
      blockId,
      signatures: this.validatorSet.validators.map(({ address }, index) =>
        index === 2
          ? {
              blockIdFlag: 'absent',
              validatorAddress: EMPTY_BYTES,
              timestamp: { seconds: -62_135_596_800n, nanos: 0 },
              signature: EMPTY_BYTES,
            }
          : {
              blockIdFlag: 'commit',
              validatorAddress: address,
              timestamp: { seconds, nanos: 123_000_000 + index },
              signature: new Uint8Array(64).fill(index + 1),
            },
      ),
    };
  }

  at(height: bigint): CommittedBlock | undefined {
    return this.#blocks[Number(height) - 1]?.committed;
  }

  range(): { readonly base: bigint; readonly height: bigint } {
    const height = BigInt(this.#blocks.length);
    return { base: height === 0n ? 0n : 1n, height };
  }

  meta(height: bigint): BlockMeta | undefined {
    return this.#blocks[Number(height) - 1]?.meta;
  }

  blockBytes(height: bigint): Uint8Array | undefined {
    return this.#blocks[Number(height) - 1]?.bytes;
  }

  heightOf(hash: Uint8Array): bigint | undefined {
    const index = this.#blocks.findIndex(({ meta }) => toHex(meta.blockId.hash) === toHex(hash));
    return index < 0 ? undefined : BigInt(index + 1);
  }

  commit(height: bigint): Commit | undefined {
    const next = this.at(height + 1n);
    return next === undefined ? this.#seenCommit : next.block.lastCommit;
  }

  results(height: bigint): ResponseFinalizeBlock | undefined {
    return this.at(height)?.results;
  }

  validators(height: bigint): ValidatorSet | undefined {
    return height <= this.range().height + 1n ? this.validatorSet : undefined;
  }

  consensusParams(height: bigint): ConsensusParams | undefined {
    return height <= this.range().height + 1n ? DEFAULT_CONSENSUS_PARAMS : undefined;
  }
}

function textOf(tx: Uint8Array): string {
  return Buffer.from(tx).toString();
}

function execute(height: bigint, txs: readonly Uint8Array[]): ResponseFinalizeBlock {
  return ResponseFinalizeBlock.create({
    appHash: sha256(utf8(`state ${height}`)),
    events:
      height % 2n === 0n
        ? [{ type: 'mint', attributes: [{ key: 'amount', value: height.toString(), index: true }] }]
        : [],
    txResults: txs.map((tx) => {
      const [key = '', value = ''] = textOf(tx).split('=');
      const attributes = [
        { key: 'key', value: key, index: true },
        { key: 'value', value, index: true },
      ];
      const events = [{ type: 'app', attributes }];
      if (key.startsWith('fail'))
        return ExecTxResult.create({ code: 5, log: 'failed', codespace: 'test', events });
      return ExecTxResult.create({ data: utf8(value), gasWanted: 10n, gasUsed: 7n, events });
    }),
  });
}

/** The application's other calls. */
export class TestApplication {
  readonly #chain: TestChain;

  constructor(chain: TestChain) {
    this.#chain = chain;
  }

  async info(): Promise<ResponseInfo> {
    const { height } = this.#chain.range();
    return ResponseInfo.create({
      data: 'test',
      version: '1.2.3',
      appVersion: 0n,
      lastBlockHeight: height,
      lastBlockAppHash: this.#chain.results(height)?.appHash ?? EMPTY_BYTES,
    });
  }

  async checkTx(request: RequestCheckTx): Promise<ResponseCheckTx> {
    const text = textOf(request.tx);
    if (text.startsWith('bad')) {
      return ResponseCheckTx.create({ code: 4, log: 'refused', codespace: 'sdk', gasWanted: 1n });
    }
    return ResponseCheckTx.create({ gasWanted: 1n });
  }

  async query(request: RequestQuery): Promise<ResponseQuery> {
    if (request.path === '/crash') throw new Error('the application crashed');
    const { height } = this.#chain.range();
    return ResponseQuery.create({
      key: request.data,
      value: utf8(request.path),
      height: request.height === 0n ? height : request.height,
      proofOps: request.prove
        ? { ops: [{ type: 'ics23:iavl', key: request.data, data: Uint8Array.of(1, 2) }] }
        : undefined,
    });
  }
}
