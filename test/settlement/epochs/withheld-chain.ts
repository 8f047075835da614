/**
 * A chain with one epoch that can be disputed, its gateway, and a watcher's view of both: requests, deadlines
 * and windows as modules/settlement has them, judged by its published verifiers.
 */
import { toHex } from '../../../core/bytes.ts';
import { DecodeError, LedgerError } from '../../../core/errors.ts';
import type { TreeName } from '../../../gateway/epochs/routes.ts';
import { TREE_KINDS } from '../../../gateway/epochs/routes.ts';
import type {
  EpochAnswer,
  EpochDemand,
  EpochPiecePlace,
  EpochWatchChain,
  PendingEpoch,
} from '../../../gateway/watch/ports.ts';
import { DEFAULT_PARAMS } from '../../../modules/settlement/params.ts';
import type { EpochChain } from '../../../modules/settlement/proof/chain.ts';
import { verifyEpochFraud } from '../../../modules/settlement/proof/fraud.ts';
import {
  attributionNamed,
  isAttribution,
  runOf,
  verifyRun,
} from '../../../modules/settlement/proof/piece.ts';
import type {
  EpochCommitment,
  EpochFraud,
  EpochOpening,
} from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import { Epoch, EpochState } from '../../../proto/gen/openledger/settlement/v1/settlement.ts';

/** How it ended. */
export type Outcome = 'fraud' | 'silence' | 'final';

const WINDOW = 200n;
const REQUEST_BLOCKS = 10;

/** What a gateway answers to a request, at each block until its deadline. */
export type Answerer = (piece: EpochDemand['piece'], blocksLeft: number) => EpochAnswer | undefined;

interface Request {
  readonly id: bigint;
  readonly piece: EpochDemand['piece'];
  readonly bond: bigint;
  readonly deadline: bigint;
  answer: EpochAnswer | undefined;
}

/** See the file comment. */
export class WithheldChain implements EpochWatchChain {
  outcome: Outcome | undefined;
  /** Requests for what is requested already. */
  repeated = 0;
  readonly #commitment: EpochCommitment;
  readonly #chain: EpochChain;
  readonly #answerer: Answerer;
  readonly #requests: Request[] = [];
  #height = 1n;
  #finalHeight: bigint = 1n + WINDOW;

  constructor(commitment: EpochCommitment, chain: EpochChain, answerer: Answerer) {
    this.#commitment = commitment;
    this.#chain = chain;
    this.#answerer = answerer;
  }

  /** Requests that were made. */
  get requests(): number {
    return this.#requests.length;
  }

  /** The gateway answers what it will; what nobody answered convicts; the window may be over. */
  block(): void {
    this.#height++;
    for (const request of this.#requests) {
      const left = Number(request.deadline - this.#height);
      if (request.answer !== undefined || this.outcome !== undefined || left < 0) continue;
      const answer = this.#answerer(request.piece, left);
      if (answer !== undefined && this.#isAnswer(request, answer)) request.answer = answer;
      if (request.answer === undefined && left === 0) this.outcome = 'silence';
    }
    if (this.#height >= this.#finalHeight) this.outcome ??= 'final';
  }

  #isAnswer({ piece }: Request, { opening, attribution }: EpochAnswer): boolean {
    if ('hash' in piece) return isAttribution(piece.hash, attribution);
    const kind = TREE_KINDS[piece.tree];
    const tree = this.#commitment[piece.tree];
    return verified(() => verifyRun(kind, tree, { run: runOf(kind, tree, piece.first), opening }));
  }

  async pendingEpochs(): Promise<readonly PendingEpoch[]> {
    if (this.outcome !== undefined) return [];
    const epoch = Epoch.create({
      id: 1n,
      gateway: 'gateway',
      commitment: this.#commitment,
      state: EpochState.EPOCH_STATE_PENDING,
      height: 1n,
      finalHeight: this.#finalHeight,
      requestBlocks: REQUEST_BLOCKS,
    });
    return [{ epoch, endpoint: 'gateway' }];
  }

  async facts(): Promise<EpochChain> {
    return this.#chain;
  }

  async demands(): Promise<readonly EpochDemand[]> {
    return this.#requests.map(({ id, piece, bond, answer }) => ({ id, piece, own: true, bond, answer }));
  }

  async height(): Promise<bigint> {
    return this.#height;
  }

  async ownRequests(): ReturnType<EpochWatchChain['ownRequests']> {
    const open = this.#requests.filter(({ answer }) => answer === undefined).map(() => 'epoch 1');
    return { open, most: DEFAULT_PARAMS.accountRequestsMax };
  }

  async stakes(): ReturnType<EpochWatchChain['stakes']> {
    const { requestBond: least, epochBond, rewardBps } = DEFAULT_PARAMS;
    const open = this.#requests.filter(({ answer }) => answer === undefined).length;
    const reward = (epochBond * BigInt(rewardBps)) / 10_000n;
    return { least, bond: least * BigInt(1 + open), reward, requestBlocks: BigInt(REQUEST_BLOCKS) };
  }

  async disputeEpoch(_: bigint, fraud: EpochFraud): Promise<string> {
    verifyEpochFraud({ epoch: this.#commitment, chain: this.#chain }, fraud);
    this.outcome = 'fraud';
    return 'hash';
  }

  async requestPiece(
    _: bigint,
    place: EpochPiecePlace,
    { receipt, bond }: { readonly receipt: EpochOpening; readonly bond: bigint },
  ): Promise<string> {
    if (this.#height > 1n + 3n * WINDOW) throw new LedgerError('test.refused', 'it is too late to ask');
    const piece = this.#pieceOf(place, receipt);
    const name = (one: EpochDemand['piece']): string =>
      'hash' in one ? toHex(one.hash) : `${one.tree} ${one.first}`;
    const isOpen = this.#requests.some(
      (each) => each.answer === undefined && name(each.piece) === name(piece),
    );
    if (isOpen) {
      this.repeated++;
      throw new LedgerError('test.refused', 'the piece is requested already');
    }
    const deadline = this.#height + BigInt(REQUEST_BLOCKS);
    const id = BigInt(this.#requests.length + 1);
    this.#requests.push({ id, piece, bond, deadline, answer: undefined });
    const used = deadline + BigInt(REQUEST_BLOCKS);
    if (used > this.#finalHeight) this.#finalHeight = used;
    return 'hash';
  }

  #pieceOf(place: EpochPiecePlace, receipt: EpochOpening): EpochDemand['piece'] {
    if (place.kind === 'run') {
      const tree: TreeName = place.tree;
      return { tree, first: runOf(TREE_KINDS[tree], this.#commitment[tree], place.first).first };
    }
    const index = place.receipt;
    return { hash: attributionNamed(this.#commitment.receipts, { index, opening: receipt }) };
  }
}

/** True when it does not refuse. Other errors are the verifier's own and go on. */
function verified(verify: () => unknown): boolean {
  try {
    verify();
    return true;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}
