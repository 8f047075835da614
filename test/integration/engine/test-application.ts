import { concatBytes, uint64BigEndian } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import type { Application } from '../../../node/application.ts';
import {
  type Misbehavior,
  ExecTxResult,
  type RequestFinalizeBlock,
  ResponseCheckTx,
  ResponseCommit,
  ResponseFinalizeBlock,
  ResponseInfo,
  ResponseInitChain,
  ResponsePrepareProposal,
  ResponseProcessProposal,
  ResponseProcessProposal_ProposalStatus,
  ResponseQuery,
} from '../../../proto/gen/tendermint/abci/types.ts';
import type { ConsensusParams } from '../../../proto/gen/tendermint/types/params.ts';

/** What the application has on its disk: it outlives the application. */
export interface ApplicationDisk {
  height: bigint;
  hash: Uint8Array;
}

/**
 * An application whose state is a hash chain over all transactions; a block without any leaves it as it is,
 * but for the first. A transaction that starts with 0xff is refused.
 */
export class TestApplication implements Application {
  readonly disk: ApplicationDisk;
  /** Heights that were finalized, in order. */
  readonly finalized: bigint[] = [];
  /** What it was told of misbehaviour, in order. */
  readonly misbehavior: Misbehavior[] = [];
  /** Changes of consensus parameters, by the height whose block makes them. */
  readonly paramUpdates: Map<bigint, ConsensusParams> = new Map();
  #working: ApplicationDisk | undefined;
  #busy = false;

  constructor(disk: ApplicationDisk) {
    this.disk = disk;
  }

  async info(): Promise<ResponseInfo> {
    return ResponseInfo.create({ lastBlockHeight: this.disk.height, lastBlockAppHash: this.disk.hash });
  }

  async initChain(): Promise<ResponseInitChain> {
    return ResponseInitChain.create({ appHash: this.disk.hash });
  }

  async checkTx(): Promise<ResponseCheckTx> {
    return ResponseCheckTx.create();
  }

  prepareProposal(request: { readonly txs: readonly Uint8Array[] }): Promise<ResponsePrepareProposal> {
    return this.#alone(() => ResponsePrepareProposal.create({ txs: request.txs }));
  }

  processProposal(request: { readonly txs: readonly Uint8Array[] }): Promise<ResponseProcessProposal> {
    const { ACCEPT, REJECT } = ResponseProcessProposal_ProposalStatus;
    const bad = request.txs.some((tx) => tx[0] === 0xff);
    return this.#alone(() => ResponseProcessProposal.create({ status: bad ? REJECT : ACCEPT }));
  }

  finalizeBlock(request: RequestFinalizeBlock): Promise<ResponseFinalizeBlock> {
    return this.#alone(() => {
      this.finalized.push(request.height);
      this.misbehavior.push(...request.misbehavior);
      const isIdle = request.txs.length === 0 && this.disk.hash.length > 0;
      const height = uint64BigEndian(request.height);
      const hash = isIdle ? this.disk.hash : sha256(concatBytes(this.disk.hash, height, ...request.txs));
      this.#working = { height: request.height, hash };
      const txResults = request.txs.map(() => ExecTxResult.create({ gasUsed: 1n }));
      const consensusParamUpdates = this.paramUpdates.get(request.height);
      return ResponseFinalizeBlock.create({ txResults, appHash: hash, consensusParamUpdates });
    });
  }

  commit(): Promise<ResponseCommit> {
    return this.#alone(() => {
      Object.assign(this.disk, this.#working);
      return ResponseCommit.create();
    });
  }

  async query(): Promise<ResponseQuery> {
    return ResponseQuery.create();
  }

  /** The node promises that calls do not overlap. */
  async #alone<T>(work: () => T): Promise<T> {
    if (this.#busy) throw new Error('two calls of the application overlap');
    this.#busy = true;
    await Promise.resolve();
    this.#busy = false;
    return work();
  }
}
