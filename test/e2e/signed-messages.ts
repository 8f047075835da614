/**
 * Everything that validators signed, out of the write-ahead logs of all nodes, and whether any two of it
 * contradict.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoggedInput } from '../../consensus/input.ts';
import { type BlockId, blockIdKey } from '../../consensus/types/block-id.ts';
import { toHex } from '../../core/bytes.ts';
import { readRecord } from '../../node/engine/wal-codec.ts';
import { readRecords, SYNCED_TYPE } from '../../node/wal/record.ts';
import { END_HEIGHT_TYPE } from '../../node/wal/wal.ts';

const WAL_DIRECTORY = 'cs.wal';
const WAL_FILE = /^wal-\d{8}\.log$/;

/** One signed message: who signed what for which step. */
export interface SignedMessage {
  /** Validator, height, round and kind: two different blocks under one step are a double signature. */
  readonly step: string;
  readonly block: string;
  readonly where: string;
}

/**
 * The signed messages in the logs of a home, or of all homes in a directory. A torn end, as a kill leaves it,
 * is the end.
 */
export function signedMessagesUnder(directory: string): readonly SignedMessage[] {
  return filesUnder(directory).flatMap((file) => {
    const { records } = readRecords(readFileSync(file));
    return records
      .filter((record) => record.type !== END_HEIGHT_TYPE && record.type !== SYNCED_TYPE)
      .flatMap((record) => {
        const item = readRecord(record);
        const signed = item.kind === 'input' ? signedMessage(item.input) : undefined;
        return signed === undefined ? [] : [{ ...signed, where: file }];
      });
  });
}

/** The double signatures among them, each as a sentence. */
export function doubleSignatures(messages: readonly SignedMessage[]): readonly string[] {
  const first = new Map<string, SignedMessage>();
  const found = new Set<string>();
  for (const message of messages) {
    const earlier = first.get(message.step);
    if (earlier === undefined) first.set(message.step, message);
    else if (earlier.block !== message.block) {
      found.add(
        `${message.step}: ${earlier.block} (${earlier.where}) and ${message.block} (${message.where})`,
      );
    }
  }
  return [...found];
}

function signedMessage(input: LoggedInput): Omit<SignedMessage, 'where'> | undefined {
  switch (input.kind) {
    case 'vote':
    case 'signedVote': {
      const { height, round, type, validatorAddress, blockId } = input.vote;
      return { step: `${toHex(validatorAddress)} ${height}/${round} ${type}`, block: nameOf(blockId) };
    }
    case 'proposal':
    case 'signedProposal': {
      // A round has one proposer, so the step needs no address.
      const { height, round, blockId } = input.proposal;
      return { step: `${height}/${round} proposal`, block: nameOf(blockId) };
    }
    default:
      return undefined;
  }
}

function nameOf(blockId: BlockId): string {
  return toHex(Buffer.from(blockIdKey(blockId), 'latin1')) || 'nil';
}

/** Looks only where homes have their logs: nodes may be running, and other directories come and go. */
function filesUnder(directory: string): readonly string[] {
  return [directory, ...subdirectories(directory)]
    .map((home) => join(home, 'data', WAL_DIRECTORY))
    .filter((logs) => existsSync(logs))
    .flatMap((logs) =>
      readdirSync(logs)
        .filter((name) => WAL_FILE.test(name))
        .map((name) => join(logs, name)),
    );
}

function subdirectories(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(directory, entry.name));
}
