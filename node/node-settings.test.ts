import { expect, test } from 'vitest';
import type { NodeConfig } from './config/config.ts';
import { defaultNodeConfig } from './config/toml.ts';
import { timeoutsOf } from './node-settings.ts';

const WAITS = {
  timeoutProposeMs: 1,
  timeoutProposeDeltaMs: 2,
  timeoutPrevoteMs: 3,
  timeoutPrevoteDeltaMs: 4,
  timeoutPrecommitMs: 5,
  timeoutPrecommitDeltaMs: 6,
  timeoutCommitMs: 7,
};

test.each([true, false])(
  'each wait and switch of the consensus core is that of its key, with skip_timeout_commit %s',
  (isSkipped) => {
    const config = defaultNodeConfig();
    const others = { createEmptyBlocks: !isSkipped, createEmptyBlocksIntervalMs: 8 };
    const consensus: NodeConfig['consensus'] = {
      ...config.consensus,
      ...WAITS,
      ...others,
      skipTimeoutCommit: isSkipped,
    };
    expect(timeoutsOf({ ...config, consensus })).toEqual({
      proposeMs: 1,
      proposeDeltaMs: 2,
      prevoteMs: 3,
      prevoteDeltaMs: 4,
      precommitMs: 5,
      precommitDeltaMs: 6,
      commitMs: 7,
      skipCommitWhenComplete: isSkipped,
    });
  },
);
