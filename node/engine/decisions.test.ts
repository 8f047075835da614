import { expect, test } from 'vitest';
import { testBlock, TEST_TIME } from '../../consensus/testing/fixtures.ts';
import type { Block } from '../../consensus/types/block.ts';
import { EMPTY_COMMIT } from '../../consensus/types/commit.ts';
import { ResponseFinalizeBlock } from '../../proto/gen/tendermint/abci/types.ts';
import { executeDecided } from './decisions.ts';

const NONE = new Uint8Array(0);
const BLOCK: Block = {
  header: {
    version: { block: 11n, app: 0n },
    chainId: 'test',
    height: 7n,
    time: TEST_TIME,
    lastBlockId: testBlock('6'),
    lastCommitHash: NONE,
    dataHash: NONE,
    validatorsHash: NONE,
    nextValidatorsHash: NONE,
    consensusHash: NONE,
    appHash: NONE,
    lastResultsHash: NONE,
    evidenceHash: NONE,
    proposerAddress: NONE,
  },
  txs: [],
  evidence: [],
  lastCommit: EMPTY_COMMIT,
};
const DECIDED = {
  block: BLOCK,
  blockId: testBlock('7'),
  parts: [],
  blockSize: 0,
  seenCommit: EMPTY_COMMIT,
};

test('a block is stored, and its height ends in the log, only when its conflicting votes are on disk', async () => {
  const done: string[] = [];
  const saved = Promise.withResolvers<void>();
  const ended = executeDecided(
    {
      blocks: {
        range: () => ({ base: 1n, height: 6n }),
        saveBlock: async () => void done.push('block'),
      },
      evidence: { conflictsSaved: () => saved.promise.then(() => void done.push('votes')) },
      log: { endHeight: async (height) => void done.push(`end ${height}`) },
      executor: {
        apply: async ({ block, blockId, stored }) => {
          await stored;
          return { height: 7n, block, blockId, results: ResponseFinalizeBlock.create({}) };
        },
      },
    },
    DECIDED,
  );
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  expect(done).toEqual([]);
  saved.resolve();
  await ended;
  expect(done).toEqual(['votes', 'block', 'votes', 'end 7']);
});
