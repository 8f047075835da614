/**
 * That a head was trained on nothing of a contribution: the groups of its card stand in rising order of
 * contribution ids, so two neighbours around the id, or the first or last group, show that there is no group
 * of it.
 */
import { verifyOpening } from '../tree.ts';
import { BinaryReader, BinaryWriter } from './binary.ts';
import type { InfluenceCard } from './card.ts';
import { cardTree } from './committed.ts';
import { decodeGroup } from './leaves.ts';

const LEAF_BYTES = 17;

/** The groups around an id. */
export interface GroupAbsence {
  /** Index of the first group with a larger id; the number of groups when there is none. */
  readonly place: number;
  /** The group before that place and the one at it, if they exist. */
  readonly leaves: readonly Uint8Array[];
  /** 32 bytes each, one after another. */
  readonly hashes: Uint8Array;
}

/** Groups that are opened for a place, in a card with so many. */
export function groupsAround(place: number, groups: number): readonly number[] {
  return [place - 1, place].filter((index) => index >= 0 && index < groups);
}

/**
 * u32 place, then the leaves, 17 bytes each, then the hashes. How many leaves there are follows from the
 * card.
 */
export function encodeAbsence({ place, leaves, hashes }: GroupAbsence): Uint8Array {
  const writer = new BinaryWriter().u32(place);
  for (const leaf of leaves) writer.bytes(leaf);
  return writer.bytes(hashes).end();
}

/** The opposite of `encodeAbsence`. @throws DecodeError for bytes that are too short */
export function decodeAbsence(card: InfluenceCard, bytes: Uint8Array): GroupAbsence {
  const reader = new BinaryReader(bytes, 'absence of a contribution');
  const place = reader.u32();
  const around = groupsAround(place, card.groups);
  const leaves = reader.list(around.length, (r) => r.bytes(LEAF_BYTES));
  const hashes = reader.bytes(Math.max(0, bytes.length - 4 - LEAF_BYTES * leaves.length));
  return { place, leaves, hashes };
}

/** True when the card has no group of this contribution, if its groups are in order (rule `group`). */
export function verifyAbsence(card: InfluenceCard, contributionId: bigint, absence: GroupAbsence): boolean {
  const { place, leaves, hashes } = absence;
  const indices = groupsAround(place, card.groups);
  if (place > card.groups || indices.length !== leaves.length) return false;
  if (!verifyOpening(cardTree(card, 'groups'), { indices, leaves, hashes })) return false;
  return leaves.every((leaf, i) => {
    const group = decodeGroup(leaf, card);
    if (group === undefined) return false;
    return (indices[i] ?? 0) < place
      ? group.contributionId < contributionId
      : group.contributionId > contributionId;
  });
}
