/** A validator whose signing state cannot be written. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EMPTY_BYTES } from '../../../core/bytes.ts';
import { machineFiles } from '../../../node/privval/durable-file.ts';
import { Broadcast, openTestNode, testGenesis } from './test-node.ts';

test('one failed write of the signing state stops the validator with a sentence that says what to do', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'signing-state-'));
  const disk = { full: false };
  const node = await openTestNode({
    home: { directory, index: 0, application: { height: 0n, hash: EMPTY_BYTES } },
    genesis: testGenesis(1),
    publisher: new Broadcast().publisher(0),
    signerFiles: {
      ...machineFiles,
      writeSynced: async (path, bytes) => {
        if (disk.full) throw new Error('ENOSPC: no space left on device, write');
        return machineFiles.writeSynced(path, bytes);
      },
    },
  });
  node.engine.start();
  node.engine.joinConsensus();
  await node.reached(2n);
  disk.full = true;
  expect(await node.fatal).toMatchObject({
    code: 'privval.state_write',
    message: expect.stringMatching(/could not be written: ENOSPC.*see to the disk .* then start it again/),
  });
  disk.full = false;
  await node.stop();
});
