/** `data/upgrade-info.json`: what a node that needs an upgrade leaves for the tool that starts it again. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UpgradeError } from '../modules/upgrade/errors.ts';

/**
 * Writes the file as x/upgrade does, for Cosmovisor and its like; all at once.
 * @param height the block that could not be made
 */
export function writeUpgradeInfo(dataDir: string, error: UpgradeError, height: bigint): void {
  if (error.plan === undefined) return;
  const { name, info } = error.plan;
  const path = join(dataDir, 'upgrade-info.json');
  // As Go writes a plan: the zero time, and no info where there is none.
  const fields = [
    `"name":${JSON.stringify(name)}`,
    '"time":"0001-01-01T00:00:00Z"',
    `"height":${height}`,
    ...(info === '' ? [] : [`"info":${JSON.stringify(info)}`]),
  ];
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(`${path}.tmp`, `{${fields.join(',')}}`, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}
