/** An epoch as far as it is known: runs of its trees, attributions by their hashes. */
import { equalBytes, fromHex, toHex } from '../../core/bytes.ts';
import { leavesOfRun } from '../../core/leaf-run.ts';
import { decodeAttribution, NO_ATTRIBUTION } from '../../modules/settlement/proof/attribution.ts';
import type { Place, EpochCommitment } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { decodeReceipt } from '../../modules/settlement/proof/leaves.ts';
import { isAttribution } from '../../modules/settlement/proof/piece.ts';
import type { PublishedEpoch } from '../epochs/published.ts';
import { TREE_KINDS, type TreeName } from '../epochs/routes.ts';
import { FetchedTree } from './fetched-tree.ts';
import type { EpochAnswer, EpochPiecePlace, WantedFacts } from './ports.ts';

/** Trees in the order in which a watcher goes through them. */
export const TREE_NAMES: readonly TreeName[] = ['receipts', 'allocations', 'entitlements'];

/** See the file comment. */
export class FetchedEpoch implements PublishedEpoch {
  readonly commitment: EpochCommitment;
  readonly receipts: FetchedTree;
  readonly allocations: FetchedTree;
  readonly entitlements: FetchedTree;
  readonly #attributions = new Map<string, Uint8Array>();
  /** Hashes that known receipts name, and the first that does. */
  readonly #named = new Map<string, number>();
  readonly #models = new Set<bigint>();

  constructor(commitment: EpochCommitment) {
    this.commitment = commitment;
    this.receipts = new FetchedTree(TREE_KINDS.receipts, commitment.receipts);
    this.allocations = new FetchedTree(TREE_KINDS.allocations, commitment.allocations);
    this.entitlements = new FetchedTree(TREE_KINDS.entitlements, commitment.entitlements);
  }

  /** Takes leaves or an attribution. False when they are not what the place asks for, or come to nothing. */
  put(place: EpochPiecePlace, { opening, attribution }: EpochAnswer): boolean {
    if (place.kind === 'attribution') {
      if (!isAttribution(place.hash, attribution)) return false;
      this.#attributions.set(toHex(place.hash), attribution);
      return true;
    }
    const { tree, first } = place;
    const run = { first, end: first + opening.leaves.length };
    if (!this[tree].put(run, opening)) return false;
    if (tree === 'receipts') for (const index of leavesOfRun(run)) this.#note(index);
    return true;
  }

  #note(index: number): void {
    const receipt = decodeReceipt(this.receipts.leaf(index));
    if (receipt === undefined) return;
    this.#models.add(receipt.modelId);
    const key = toHex(receipt.attribution);
    if (!equalBytes(receipt.attribution, NO_ATTRIBUTION) && !this.#named.has(key))
      this.#named.set(key, index);
  }

  /** The attribution with this SHA-256, if it is known. */
  attribution = (hash: Uint8Array): Uint8Array | undefined => this.#attributions.get(toHex(hash));

  /** Attributions that known receipts name and that are not known. */
  missingAttributions(): readonly Extract<EpochPiecePlace, { kind: 'attribution' }>[] {
    return [...this.#named]
      .filter(([key]) => !this.#attributions.has(key))
      .map(([key, receipt]) => ({ kind: 'attribution', hash: fromHex(key), receipt }));
  }

  /** True when nothing is missing. */
  get isWhole(): boolean {
    return TREE_NAMES.every((name) => this[name].missing === 0) && this.missingAttributions().length === 0;
  }

  /** How many pieces are known: it only grows. */
  get pieces(): number {
    const runs = TREE_NAMES.reduce((sum, name) => sum + [...this[name].runs()].length, 0);
    return runs + this.#attributions.size;
  }

  /** What has to be known of the chain to judge what is known of the epoch. */
  wantedFacts(): WantedFacts {
    const claims = new Set<bigint>();
    const places: Place[] = [];
    for (const bytes of this.#attributions.values()) {
      const decoded = decodeAttribution(bytes);
      if (decoded === undefined) continue;
      if (decoded.claimId > 0n) claims.add(decoded.claimId);
      else places.push(...decoded.entries.map(({ place }) => place));
    }
    return { models: this.#models, claims, places };
  }
}
