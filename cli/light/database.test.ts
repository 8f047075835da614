import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLevel } from '../../store/backend/level.ts';
import { openLightDatabase } from './database.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'light-database-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const KEY = Uint8Array.of(0x6c, 1);

test('a stored light block that was changed is not believed', async () => {
  const { database, close } = await openLightDatabase(home);
  await database.write([{ key: KEY, value: Uint8Array.of(5) }]);
  expect(Uint8Array.from((await database.get(KEY)) ?? [])).toEqual(Uint8Array.of(5));
  await close();
  await raw(Uint8Array.of(4, 0, 0, 0, 0));
  const again = await openLightDatabase(home);
  await expect(again.database.get(KEY)).rejects.toMatchObject({ code: 'database.corrupt' });
  await again.close();
});

test('what was stored without checksums is refused with what to do', async () => {
  await raw(Uint8Array.of(5));
  await expect(openLightDatabase(home)).rejects.toThrow(
    /light\.db was written by another version .* delete this directory and start with --trusted-height/,
  );
});

async function raw(value: Uint8Array): Promise<void> {
  const backend = await openLevel(join(home, 'light.db'));
  await backend.write([{ key: KEY, value }], { sync: true });
  await backend.close();
}
