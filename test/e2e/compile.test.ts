import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NODE_FLAGS } from '../../cli/devnet/spawn-node.ts';
import { env, mainFile, RunningDevnet, temporaryHome } from './program.ts';

it('`compile`, as after an installation, leaves nothing that a devnet compiles for its first blocks', async () => {
  const home = temporaryHome();
  const cache = join(home, 'cache');
  const compiled = (): readonly string[] => readdirSync(cache, { recursive: true }).map(String).toSorted();
  try {
    for (const flags of [[], NODE_FLAGS]) {
      const { status, stderr } = spawnSync(process.execPath, [...flags, mainFile, 'compile'], {
        encoding: 'utf8',
        env: { ...env, NODE_COMPILE_CACHE: cache },
      });
      expect(status, stderr).toBe(0);
    }
    const before = compiled();
    expect(before.length).toBeGreaterThan(2_000);
    const options = ['--home', join(home, 'devnet'), '--validators', '1', '--rpc-port', '0'];
    const devnet = await RunningDevnet.start(options, [mainFile], { NODE_COMPILE_CACHE: cache });
    await devnet.waitForHeight(2);
    await devnet.stop();
    expect(compiled()).toEqual(before);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
