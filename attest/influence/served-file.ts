/**
 * A card or a claim with the leaves behind its roots, as one file: what a publisher serves and a watcher
 * reads.
 *
 * `"olcard01"` or `"olclaim1"`, u32 length and bytes of the card or claim, then for each tree u32 leaves, for
 * each leaf u32 length and bytes, then u32 nodes of the tree of sums and for each the leaves of its
 * coordinates in the same form. Trees of a card: weights, examples, residuals, groups; of a claim: solution,
 * effects. Hashes are computed anew by the reader, so a file whose leaves are not those of its roots is
 * refused.
 */
import { equalBytes, utf8 } from '../../core/bytes.ts';
import { DecodeError } from '../../core/errors.ts';
import { BinaryReader, BinaryWriter } from '../../modules/attribution/proof/influence/binary.ts';
import { decodeCard, encodeCard } from '../../modules/attribution/proof/influence/card.ts';
import { decodeClaim, encodeClaim } from '../../modules/attribution/proof/influence/claim.ts';
import { cardTree, claimTree } from '../../modules/attribution/proof/influence/committed.ts';
import { coordinateLeaves } from '../../modules/attribution/proof/influence/sum-tree.ts';
import type { InfluenceTree } from '../../modules/attribution/proof/influence/trees.ts';
import type { CommittedTree } from '../../modules/attribution/proof/tree.ts';
import {
  type ServedCard,
  type ServedClaim,
  type ServedSums,
  servedTree,
  type ServedTree,
} from './published.ts';
import { servedSums } from './sums.ts';

const CARD_MAGIC = 'olcard01';
const CLAIM_MAGIC = 'olclaim1';
const MAGIC_BYTES = 8;

/** The file of a card. */
export function encodeServedCard(served: ServedCard): Uint8Array {
  const { card, weights, examples, residuals, groups, sums } = served;
  const writer = begin(CARD_MAGIC, encodeCard(card));
  for (const { leaves } of [weights, examples, residuals, groups]) writeLeaves(writer, leaves);
  return endWithSums(writer, sums);
}

/** The file of a claim. */
export function encodeServedClaim({ claim, solution, effects, sums }: ServedClaim): Uint8Array {
  const writer = begin(CLAIM_MAGIC, encodeClaim(claim));
  for (const { leaves } of [solution, effects]) writeLeaves(writer, leaves);
  return endWithSums(writer, sums);
}

/** @throws DecodeError for other bytes, and for leaves that are not those of the card's roots */
export function decodeServedCard(bytes: Uint8Array): ServedCard {
  const { reader, head } = open(bytes, CARD_MAGIC, 'file of a model card');
  const card = decodeCard(head);
  const read = (tree: 'weights' | 'examples' | 'residuals' | 'groups'): ServedTree =>
    readTree(reader, tree, cardTree(card, tree));
  const trees = {
    weights: read('weights'),
    examples: read('examples'),
    residuals: read('residuals'),
    groups: read('groups'),
  };
  const sums = readSums(reader, cardTree(card, 'sums'), coordinateLeaves(card));
  reader.end();
  return { card, ...trees, sums };
}

/** @throws DecodeError for other bytes, and for leaves that are not those of the claim's roots */
export function decodeServedClaim({ card }: ServedCard, bytes: Uint8Array): ServedClaim {
  const { reader, head } = open(bytes, CLAIM_MAGIC, 'file of a claim');
  const claim = decodeClaim(head);
  const solution = readTree(reader, 'solution', claimTree(card, claim, 'solution'));
  const effects = readTree(reader, 'effects', claimTree(card, claim, 'effects'));
  const sums = readSums(reader, claimTree(card, claim, 'sums'), coordinateLeaves(card));
  reader.end();
  return { claim, solution, effects, sums };
}

function begin(magic: string, head: Uint8Array): BinaryWriter {
  return new BinaryWriter().bytes(utf8(magic)).u32(head.length).bytes(head);
}

function writeLeaves(writer: BinaryWriter, leaves: readonly Uint8Array[]): void {
  writer.u32(leaves.length);
  for (const leaf of leaves) writer.u32(leaf.length).bytes(leaf);
}

function endWithSums(writer: BinaryWriter, { coordinates }: ServedSums): Uint8Array {
  writer.u32(coordinates.length);
  for (const leaves of coordinates) writeLeaves(writer, leaves);
  return writer.end();
}

function open(
  bytes: Uint8Array,
  magic: string,
  what: string,
): { readonly reader: BinaryReader; readonly head: Uint8Array } {
  const reader = new BinaryReader(bytes, what);
  const found = reader.bytes(MAGIC_BYTES);
  if (!equalBytes(found, utf8(magic))) throw new DecodeError(`no ${what}: it does not begin with ${magic}`);
  return { reader, head: reader.bytes(reader.u32()) };
}

function readLeaves(reader: BinaryReader, count: number): Uint8Array[] {
  const written = reader.u32();
  if (written !== count) throw new DecodeError(`${written} leaves where there must be ${count}`);
  return reader.list(count, (each) => each.bytes(each.u32()));
}

function readTree(reader: BinaryReader, name: InfluenceTree, committed: CommittedTree): ServedTree {
  return checked(servedTree(name, readLeaves(reader, committed.leaves)), name, committed);
}

function readSums(reader: BinaryReader, committed: CommittedTree, leaves: number): ServedSums {
  const nodes = reader.u32();
  if (nodes !== committed.leaves) throw new DecodeError(`${nodes} nodes; there must be ${committed.leaves}`);
  const sums = servedSums(reader.list(nodes, (each) => readLeaves(each, leaves)));
  return checked(sums, 'sums', committed);
}

function checked<T extends ServedTree>(served: T, name: InfluenceTree, { root }: CommittedTree): T {
  if (!equalBytes(served.tree.root, root))
    throw new DecodeError(`the leaves of ${name} are not those that are committed to`);
  return served;
}
