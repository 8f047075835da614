import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Vote } from '../../consensus/types/vote.ts';
import { concatBytes } from '../../core/bytes.ts';
import { inputRecord } from '../../node/engine/wal-codec.ts';
import { encodeRecord, fileHeader } from '../../node/wal/record.ts';
import { doubleSignatures, signedMessagesUnder } from './signed-messages.ts';

const vote = (block: number): Vote => ({
  type: 'precommit',
  height: 5n,
  round: 1,
  blockId: {
    hash: new Uint8Array(32).fill(block),
    partSetHeader: { total: 1, hash: new Uint8Array(32).fill(9) },
  },
  validatorAddress: new Uint8Array(20).fill(3),
  validatorIndex: 0,
  timestamp: { seconds: 1n, nanos: 0 },
  signature: new Uint8Array(64).fill(1),
  extension: new Uint8Array(0),
  extensionSignature: new Uint8Array(0),
});

it('a double signature in the logs of two nodes is found, the same vote in both is none', () => {
  const home = mkdtempSync(join(tmpdir(), 'openledgerd-wal-'));
  const salt = new Uint8Array(8);
  const log = (node: string, input: Parameters<typeof inputRecord>[0]): void => {
    const logs = join(home, node, 'data', 'cs.wal');
    mkdirSync(logs, { recursive: true });
    writeFileSync(
      join(logs, 'wal-00000001.log'),
      concatBytes(fileHeader(salt), encodeRecord(inputRecord(input), salt)),
    );
  };
  log('node0', { kind: 'signedVote', vote: vote(7) });
  log('node1', { kind: 'vote', vote: vote(7) });
  expect(signedMessagesUnder(home)).toHaveLength(2);
  expect(doubleSignatures(signedMessagesUnder(home))).toEqual([]);
  log('node2', { kind: 'vote', vote: vote(8) });
  expect(doubleSignatures(signedMessagesUnder(home))).toHaveLength(1);
  // A home that has no log yet, and a single home.
  mkdirSync(join(home, 'node3', 'data', 'snapshots'), { recursive: true });
  expect(signedMessagesUnder(join(home, 'node2'))).toHaveLength(1);
  rmSync(home, { recursive: true });
});
