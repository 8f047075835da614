import { toHex } from '../../core/bytes.ts';
import type { Address, AddressCodec } from '../../framework/address.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import {
  Admission,
  type Contribution,
  ContributionState,
  type Datanet,
  DatanetTotals,
  type Params,
  type Snapshot,
  type SumNode,
} from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { datanetErrors } from './errors.ts';
import {
  contributed,
  contributionAccepted,
  contributionWithdrawn,
  datanetCreated,
  snapshotPublished,
} from './events.ts';
import { DEFAULT_PARAMS } from './params.ts';
import type { DatanetState } from './state.ts';
import { appendLeaf, type NodeLookup, sumLeaf, sumPath, sumRoot } from './sum-tree.ts';
import { type DatanetHooks, DatanetHookList, type DatanetView } from './types.ts';

/** A contribution before the chain has given it a number and a state. */
export type NewContribution = Pick<
  Contribution,
  'datanetId' | 'contributor' | 'root' | 'byteLength' | 'tokenCount' | 'mediaType' | 'title' | 'uris'
>;

/** A Datanet before it has a number. */
export type NewDatanet = Omit<Datanet, 'id' | 'createdHeight'>;

/** Datanets, their contributions and snapshots. */
export class Datanets implements DatanetView {
  readonly #state: DatanetState;
  readonly #addresses: AddressCodec;
  readonly #hooks: DatanetHookList = new DatanetHookList();

  constructor(state: DatanetState, ports: { readonly addresses: AddressCodec }) {
    this.#state = state;
    this.#addresses = ports.addresses;
  }

  /** Adds who is told of contributions. While the application is composed. */
  addHooks(hooks: DatanetHooks): void {
    this.#hooks.add(hooks);
  }

  params(context: ReadContext): Params {
    return this.#state.params.get(context) ?? DEFAULT_PARAMS;
  }

  datanet(context: ReadContext, id: bigint): Datanet | undefined {
    return this.#state.datanets.get(context, id);
  }

  /** @throws StateError (datanet 4) when there is none */
  requireDatanet(context: ReadContext, id: bigint): Datanet {
    const datanet = this.datanet(context, id);
    if (datanet === undefined)
      throw new StateError(datanetErrors.unknownDatanet, `there is no datanet ${id}; check the id`);
    return datanet;
  }

  contribution(context: ReadContext, id: bigint): Contribution | undefined {
    return this.#state.contributions.get(context, id);
  }

  contributionAt(context: ReadContext, datanetId: bigint, position: bigint): Contribution | undefined {
    const id = this.#state.byPosition.get(context, [datanetId, position]);
    return id === undefined ? undefined : this.contribution(context, id);
  }

  isMember(context: ReadContext, datanetId: bigint, account: Address): boolean {
    const { allowList, byContributor, contributions } = this.#state;
    if (this.datanet(context, datanetId)?.owner === this.#addresses.toText(account)) return true;
    if (allowList.has(context, [datanetId, account])) return true;
    for (const id of byContributor.match(context, account)) {
      const contribution = contributions.get(context, id);
      const isAccepted = contribution?.state === ContributionState.CONTRIBUTION_STATE_ACCEPTED;
      if (isAccepted && contribution.datanetId === datanetId) return true;
    }
    return false;
  }

  snapshot(context: ReadContext, id: bigint): Snapshot | undefined {
    return this.#state.snapshots.get(context, id);
  }

  totals(context: ReadContext, datanetId: bigint): DatanetTotals {
    return this.#state.totals.get(context, datanetId) ?? DatanetTotals.create();
  }

  createDatanet(context: Context, created: NewDatanet): Datanet {
    const id = this.#state.datanetSequence.next(context) + 1n;
    const datanet: Datanet = { ...created, id, createdHeight: context.block.height };
    this.#state.datanets.replace(context, id, undefined, datanet);
    context.emit(datanetCreated(datanet));
    return datanet;
  }

  /** @throws StateError (datanet 6, 7) when this account may not contribute */
  checkAdmission(context: ReadContext, datanet: Datanet, contributor: Address): void {
    if (datanet.admission === Admission.ADMISSION_OPEN) return;
    if (datanet.admission !== Admission.ADMISSION_ALLOW_LIST)
      throw new StateError(
        datanetErrors.admissionNotSupported,
        `datanet ${datanet.id} has admission mode ${datanet.admission}`,
      );
    if (this.#state.allowList.has(context, [datanet.id, contributor])) return;
    throw new StateError(
      datanetErrors.notAdmitted,
      `${this.#addresses.toText(contributor)} is not on the allow-list of datanet ${datanet.id}; ask its owner, ${datanet.owner}`,
    );
  }

  /** @throws StateError (datanet 9) when the Datanet has this content already */
  checkContent(context: ReadContext, datanetId: bigint, root: Uint8Array): void {
    const known = this.#state.byContent.find(context, [datanetId, root]);
    if (known === undefined) return;
    const first = this.#state.contributions.require(context, known);
    throw new StateError(
      datanetErrors.duplicateContent,
      `datanet ${datanetId} has content ${toHex(root)} as contribution ${known} of ${first.contributor}`,
    );
  }

  /**
   * Records a contribution as pending. Its content's first contribution on the chain is its canonical one.
   */
  contribute(context: Context, given: NewContribution): Contribution {
    const { contributions, contributionSequence, canonical } = this.#state;
    const id = contributionSequence.next(context) + 1n;
    const first = canonical.get(context, given.root);
    if (first === undefined) canonical.set(context, given.root, id);
    const contribution: Contribution = {
      ...given,
      id,
      state: ContributionState.CONTRIBUTION_STATE_PENDING,
      submittedHeight: context.block.height,
      position: 0n,
      canonicalId: first ?? id,
      lastVersion: 0,
    };
    contributions.replace(context, id, undefined, contribution);
    const totals = this.totals(context, given.datanetId);
    this.#state.totals.set(context, given.datanetId, { ...totals, contributions: totals.contributions + 1n });
    context.emit(contributed(contribution));
    return contribution;
  }

  /** Takes a pending contribution into the Datanet's log: from now on it can be in a snapshot and earn. */
  accept(context: Context, pending: Contribution): Contribution {
    const { datanetId } = pending;
    const totals = this.totals(context, datanetId);
    const accepted: Contribution = {
      ...pending,
      state: ContributionState.CONTRIBUTION_STATE_ACCEPTED,
      position: totals.accepted,
    };
    this.#state.contributions.replace(context, accepted.id, pending, accepted);
    this.appendToLog(context, accepted);
    this.#state.totals.set(context, datanetId, {
      ...totals,
      accepted: totals.accepted + 1n,
      acceptedBytes: totals.acceptedBytes + accepted.byteLength,
      acceptedTokens: totals.acceptedTokens + accepted.tokenCount,
    });
    context.emit(contributionAccepted(accepted));
    return accepted;
  }

  /**
   * Takes an accepted contribution back. The log and the snapshots that were made keep it; in those that come
   * it is none.
   */
  withdraw(context: Context, accepted: Contribution): void {
    const { id, datanetId } = accepted;
    const totals = this.totals(context, datanetId);
    const withdrawn: Contribution = {
      ...accepted,
      state: ContributionState.CONTRIBUTION_STATE_WITHDRAWN,
      lastVersion: totals.snapshots,
    };
    this.#state.contributions.replace(context, id, accepted, withdrawn);
    this.#state.totals.set(context, datanetId, { ...totals, withdrawn: totals.withdrawn + 1n });
    context.emit(contributionWithdrawn(withdrawn));
    this.#hooks.contributionWithdrawn(context, withdrawn);
  }

  isIn(snapshot: Snapshot, contribution: Contribution): boolean {
    const { datanetId, position, state, lastVersion } = contribution;
    if (datanetId !== snapshot.datanetId || position >= snapshot.count) return false;
    if (state === ContributionState.CONTRIBUTION_STATE_ACCEPTED) return true;
    return isInLog(contribution) && snapshot.version <= lastVersion;
  }

  /** Writes an accepted contribution's position and the log nodes that it completes, and tells of it. */
  appendToLog(context: Context, accepted: Contribution): void {
    const { id: contributionId, byteLength: weight, root, datanetId, position } = accepted;
    this.#state.byPosition.set(context, [datanetId, position], contributionId);
    const leaf = sumLeaf({ contributionId, weight, root });
    for (const { level, index, node } of appendLeaf(leaf, position, this.nodes(context, datanetId)))
      this.#state.log.set(context, [datanetId, level, index], node);
    this.#hooks.contributionAccepted(context, accepted);
  }

  /** Reads a Datanet's log. */
  nodes(context: ReadContext, datanetId: bigint): NodeLookup {
    return (level, index) => this.#state.log.require(context, [datanetId, level, index]);
  }

  /** Makes the accepted contributions of now the Datanet's next version. */
  publishSnapshot(context: Context, datanetId: bigint, publisher: string): Snapshot {
    const totals = this.totals(context, datanetId);
    const root = sumRoot(totals.accepted, this.nodes(context, datanetId));
    const snapshot: Snapshot = {
      id: this.#state.snapshotSequence.next(context) + 1n,
      datanetId,
      version: totals.snapshots + 1,
      root: root.hash,
      count: totals.accepted,
      totalBytes: totals.acceptedBytes,
      totalWeight: root.sum,
      publisher,
      height: context.block.height,
    };
    this.#state.snapshots.replace(context, snapshot.id, undefined, snapshot);
    this.#state.totals.set(context, datanetId, { ...totals, snapshots: snapshot.version });
    context.emit(snapshotPublished(snapshot));
    return snapshot;
  }

  /** The latest snapshot of a Datanet. */
  latestSnapshot(context: ReadContext, datanetId: bigint): Snapshot | undefined {
    let latest: bigint | undefined;
    const { entries, keyCodec } = this.#state.snapshotsByDatanet;
    for (const [[, id]] of entries.iterate(context, { prefix: keyCodec.prefix(datanetId), reverse: true })) {
      latest = id;
      break;
    }
    return latest === undefined ? undefined : this.snapshot(context, latest);
  }

  /** The path from a contribution to a snapshot's root; undefined when it is not in it. */
  snapshotPath(
    context: ReadContext,
    snapshot: Snapshot,
    contribution: Contribution,
  ): readonly SumNode[] | undefined {
    const { datanetId, position } = contribution;
    const isIn = datanetId === snapshot.datanetId && isInLog(contribution) && position < snapshot.count;
    return isIn ? sumPath(position, snapshot.count, this.nodes(context, datanetId)) : undefined;
  }
}

/** Whether a contribution has a position: it was accepted, and perhaps withdrawn since. */
export function isInLog({ state }: Pick<Contribution, 'state'>): boolean {
  return (
    state === ContributionState.CONTRIBUTION_STATE_ACCEPTED ||
    state === ContributionState.CONTRIBUTION_STATE_WITHDRAWN
  );
}
