/** Requests for pieces of epochs, as the events of transactions tell of them. */
import type { IndexedTx } from '@cosmjs/stargate';
import { fromHex } from '../../core/bytes.ts';
import { TREE_KINDS, type TreeName } from '../../gateway/epochs/routes.ts';
import type { EpochDemand } from '../../gateway/watch/ports.ts';
import { EpochTree } from '../../proto/gen/openledger/settlement/v1/epoch.ts';

/** A request that was made, answered or not. */
export interface AskedPiece extends Pick<EpochDemand, 'id' | 'piece' | 'bond'> {
  readonly epochId: bigint;
  readonly requester: string;
}

/** The number of a tree on the chain. */
export const TREE_NUMBERS: Readonly<Record<TreeName, EpochTree>> = {
  receipts: EpochTree.EPOCH_TREE_RECEIPTS,
  allocations: EpochTree.EPOCH_TREE_ALLOCATIONS,
  entitlements: EpochTree.EPOCH_TREE_ENTITLEMENTS,
};

/** Requests that a transaction made. What is no piece that this program knows is left out. */
export function askedPieces({ events }: Pick<IndexedTx, 'events'>): readonly AskedPiece[] {
  return events.flatMap(({ type, attributes }): readonly AskedPiece[] => {
    if (type !== 'request_epoch_piece') return [];
    const of = (name: string): string => attributes.find(({ key }) => key === name)?.value ?? '';
    const piece = pieceOf(of('piece'));
    if (piece === undefined) return [];
    const [id, epochId] = [BigInt(of('request_id')), BigInt(of('epoch_id'))];
    const bond = BigInt(/^\d+/.exec(of('bond'))?.[0] ?? '0');
    return [{ id, epochId, requester: of('requester'), piece, bond }];
  });
}

/** Of `tree/first`, or the hash of an attribution in hexadecimal. */
function pieceOf(text: string): EpochDemand['piece'] | undefined {
  if (/^[0-9a-f]{64}$/.test(text)) return { hash: fromHex(text) };
  const [, number, first] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  const names = Object.keys(TREE_KINDS) as readonly TreeName[];
  const tree = names.find((name) => TREE_NUMBERS[name] === Number(number));
  return tree === undefined ? undefined : { tree, first: Number(first) };
}
