import type { Block } from '../../consensus/types/block.ts';
import { commitFromMessage, EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import { evidenceListFromMessage } from '../../consensus/types/evidence.ts';
import { Block as BlockMessage } from '../../proto/gen/tendermint/types/block.ts';

/**
 * Reads a block that this node has stored: it was checked before, so its hashes are not computed again.
 * @throws DecodeError when the store is damaged
 */
export function readStoredBlock(bytes: Uint8Array): Block {
  const message = BlockMessage.decode(bytes);
  return {
    header: message.header,
    txs: message.data.txs,
    evidence: evidenceListFromMessage(message.evidence),
    lastCommit: message.lastCommit === undefined ? EMPTY_COMMIT : commitFromMessage(message.lastCommit),
  };
}
