/**
 * A whole node, on a real socket and disk, that comes to an upgrade; and one whose chain begins above height
 * 1.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { exportGenesis } from '../../cli/genesis/export.ts';
import { readGenesisFile } from '../../cli/home/genesis-file.ts';
import { Plan } from '../../proto/gen/cosmos/upgrade/v1beta1/upgrade.ts';
import { emptyModule } from '../support/empty-module.ts';
import { initHome, runHome } from '../support/home-node.ts';

const NEEDED = 'UPGRADE "v2" NEEDED at height: 4: soon';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'openledgerd-upgrade-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const init = (name: string, genesis?: string): Promise<string> =>
  initHome(join(root, name), genesis === undefined ? { chainId: 'upgrade-1' } : { genesis });

/** Stands for governance: plans the upgrade in block 2. */
const PLANNER = emptyModule('planner', {
  beginBlock(context) {
    const plan = Plan.create({ name: 'v2', height: 4n, info: 'soon' });
    if (context.block.height === 2n) context.store('upgrade').set(Uint8Array.of(0), Plan.encode(plan));
  },
});

it('stops at the height of the plan, says so at each start, and the new program goes on', async () => {
  const home = await init('a');
  const old = { furtherModules: [PLANNER] };
  const first = await runHome(home, 4n, old);
  expect(await first.failure).toBe(NEEDED);
  await first.stop();
  const info = join(home, 'data', 'upgrade-info.json');
  expect(JSON.parse(readFileSync(info, 'utf8'))).toMatchObject({ name: 'v2', height: 4, info: 'soon' });
  for (let i = 0; i < 2; i++) await expect(runHome(home, 4n, old)).rejects.toThrow(NEEDED);

  const program = { ...old, upgrades: [{ name: 'v2' }] };
  const second = await runHome(home, 6n, program);
  await second.reached;
  await second.stop();
  const third = await runHome(home, 8n, program);
  await third.reached;
  await third.stop();
  await expect(runHome(home, 9n, old)).rejects.toThrow('upgrade handler is missing for v2 upgrade plan');
}, 30_000);

it('goes on from an export at its height, with the key of its validator, and over a restart', async () => {
  const home = await init('a');
  const first = await runHome(home, 3n, {});
  await first.reached;
  await first.stop();
  const options = { home, height: '-1', jailAllowedAddrs: [], modulesToExport: [] };
  const text = (await exportGenesis(options)) ?? '';
  const file = join(root, 'exported.json');
  writeFileSync(file, text);
  const from = readGenesisFile(file).document.initialHeight;
  expect(from).toBeGreaterThan(3n);

  const next = await init('b', file);
  const key = join('config', 'priv_validator_key.json');
  expect(existsSync(join(home, key))).toBe(true);
  writeFileSync(join(next, key), readFileSync(join(home, key)));
  for (const until of [from + 2n, from + 4n]) {
    const node = await runHome(next, until, {});
    await node.reached;
    await node.stop();
  }
}, 30_000);
