/** What parts make that is no block, or not the one that was proposed. A node of ours makes none of it. */
import { type Block, dataHash, encodeBlock } from '../../../consensus/types/block.ts';
import type { BlockId } from '../../../consensus/types/block-id.ts';
import { type Header, headerHash } from '../../../consensus/types/header.ts';
import { type Part, partsOf } from '../../../consensus/types/part-set.ts';
import { sha256 } from '../../../core/hash.ts';

/** Parts, and the id that they are proposed with. */
export interface Broken {
  readonly blockId: BlockId;
  readonly parts: readonly Part[];
}

/** How large a block may be. */
export interface BlockRoom {
  readonly blockBytesMax: number;
}

/** The breakages, by what is wrong. */
export const BREAKAGES: Readonly<Record<string, (block: Block, room: BlockRoom) => Broken>> = {
  'data hash': header(({ dataHash }) => ({ dataHash: sha256(dataHash) })),
  'hash of the last commit': header(({ lastCommitHash }) => ({ lastCommitHash: sha256(lastCommitHash) })),
  'evidence hash': header(({ evidenceHash }) => ({ evidenceHash: sha256(evidenceHash) })),
  'block protocol': header(({ version }) => ({ version: { ...version, block: version.block + 1n } })),
  'no height': header(() => ({ height: 0n })),
  'no block': ({ header: own }) => cut(sha256(headerHash(own)), own),
  'half a block': (block) => {
    const bytes = encodeBlock(block);
    return cut(bytes.subarray(0, Math.ceil(bytes.length / 2)), block.header);
  },
  'hash of another block': (block) => {
    const { blockId, parts } = cut(encodeBlock(block), block.header);
    return { blockId: { ...blockId, hash: sha256(blockId.hash) }, parts };
  },
  'more bytes than a block may have': (block, { blockBytesMax }) => filled(block, blockBytesMax),
  'more parts than a block may have': (block, { blockBytesMax }) => filled(block, 2 * blockBytesMax),
};

function header(change: (header: Header) => Partial<Header>): (block: Block) => Broken {
  return (block) => {
    const changed = { ...block, header: { ...block.header, ...change(block.header) } };
    return cut(encodeBlock(changed), changed.header);
  };
}

/** With a transaction of that many bytes. */
function filled(block: Block, bytes: number): Broken {
  const txs = [...block.txs, new Uint8Array(bytes)];
  const changed = { ...block, txs, header: { ...block.header, dataHash: dataHash(txs) } };
  return cut(encodeBlock(changed), changed.header);
}

function cut(bytes: Uint8Array, own: Header): Broken {
  const { header: partSetHeader, parts } = partsOf(bytes);
  return { blockId: { hash: headerHash(own), partSetHeader }, parts };
}
