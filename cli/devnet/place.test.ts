import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultAppConfig, defaultNodeConfig } from '../../node/config/toml.ts';
import { createHome } from '../home/create.ts';
import { keyOfMnemonic, newMnemonic } from '../wallet/hd.ts';
import { Keyring } from '../wallet/keyring.ts';
import { filesOfSettings, readInventory, writeInventory } from './inventory.ts';
import { createDevnet } from './layout.ts';
import { planStart } from './place.ts';
import { readRecord, recordPath, writeRecord } from './record.ts';
import { runDevnet } from './run.ts';
import { type DevnetOptions, settingsFor } from './settings.ts';

let above = '';
let home = '';
beforeEach(() => {
  above = mkdtempSync(join(tmpdir(), 'openledgerd-place-'));
  home = join(above, 'net');
});
afterEach(() => rmSync(above, { recursive: true, force: true }));

const never = { requested: new Promise<void>(() => undefined), forced: new Promise<void>(() => undefined) };
const silent = { out: () => undefined, note: () => undefined, interactive: false, ask: async () => '' };
const options = (given: Partial<DevnetOptions> = {}): DevnetOptions => ({
  home,
  validators: 1,
  accounts: 2,
  rpcPort: 0,
  reset: false,
  json: true,
  ...given,
});

/** Makes what a start would make, without starting it. */
async function make(given: Partial<DevnetOptions> = {}): Promise<void> {
  const { settings, record, own } = planStart(options(given), home);
  if (record === undefined) await createDevnet({ home, settings, replaced: own, now: new Date(0) });
}

/** What is in a folder: paths and contents. */
function contents(folder: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (!existsSync(folder)) return found;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    const isFile = lstatSync(path).isFile();
    found.set(name, isFile ? createHash('sha256').update(readFileSync(path)).digest('hex') : '');
  }
  return found;
}

/** The start says this, and nothing has changed. */
async function expectRefused(given: Partial<DevnetOptions>, sentence: RegExp): Promise<void> {
  const before = contents(above);
  await expect(runDevnet(options(given), silent, never)).rejects.toThrow(sentence);
  expect(contents(above)).toEqual(before);
}

const validatorHome = (name: string): Promise<unknown> =>
  createHome({ home: join(home, name), node: defaultNodeConfig(), app: defaultAppConfig() });
const addKey = (name: string): unknown => new Keyring(home, 'test').add(name, keyOfMnemonic(newMnemonic()));
const keyNames = (): readonly string[] => new Keyring(home, 'test').list().map((key) => key.name);

describe('what no devnet made', () => {
  it.each([false, true])('as homes of validators is not touched (--reset: %s)', async (reset) => {
    await validatorHome('node0');
    await validatorHome('node1');
    await expectRefused({ reset }, /is not the home of a devnet/);
  });

  it.each([false, true])('as a keyring is not touched (--reset: %s)', async (reset) => {
    addKey('alice');
    addKey('node0');
    await expectRefused({ reset }, /is not the home of a devnet/);
  });

  it('as a folder of sources gets no devnet', async () => {
    mkdirSync(join(home, 'src'), { recursive: true });
    for (const name of ['a.ts', 'b.ts', 'c.ts']) writeFileSync(join(home, name), '');
    await expectRefused({}, /is not the home of a devnet and not empty \(a\.ts, b\.ts, c\.ts and 1 more\)/);
  });

  it('stays when a devnet beside it starts afresh', async () => {
    await make();
    for (const name of ['blobs', 'joiner']) mkdirSync(join(home, name));
    writeFileSync(join(home, 'blobs', 'mine'), 'mine');
    addKey('mine');
    const before = readRecord(home);
    await make({ reset: true });
    expect(readRecord(home)?.accounts).not.toEqual(before?.accounts);
    expect(readFileSync(join(home, 'blobs', 'mine'), 'utf8')).toBe('mine');
    expect(existsSync(join(home, 'joiner'))).toBe(true);
    expect(keyNames()).toEqual(['alice', 'bob', 'mine', 'node0']);
  });

  it('is in the way of a devnet that shall be larger: --reset names it', async () => {
    await make();
    await validatorHome('node1');
    await expectRefused({ reset: true, validators: 2 }, /node1 exists and no devnet made it/);
    rmSync(join(home, 'node1'), { recursive: true });
    addKey('carol');
    await expectRefused(
      { reset: true, accounts: 3 },
      /keyring-test\/carol\.json exists and no devnet made it/,
    );
    rmSync(join(home, 'keyring-test', 'carol.json'));
    symlinkSync('nowhere', join(home, 'node1'));
    await expectRefused({ reset: true, validators: 2 }, /node1 exists and no devnet made it/);
  });

  it('is not deleted because a record or an inventory names it', async () => {
    await make();
    writeFileSync(join(above, 'precious'), '');
    const record = readRecord(home);
    if (record === undefined) throw new Error('no record');
    const [node] = record.nodes;
    if (node === undefined) throw new Error('no node');
    writeRecord(home, { ...record, nodes: [node, { ...node, moniker: '../precious' }] });
    writeInventory(home, { state: 'made', files: ['node0', '../precious', 'keyring-test/../../precious'] });
    await make({ reset: true });
    expect(existsSync(join(above, 'precious'))).toBe(true);
  });
});

describe('a devnet', () => {
  it('is made in an empty folder, in a missing one, and beside what a killed start left', async () => {
    await make();
    rmSync(home, { recursive: true });
    mkdirSync(home);
    for (const name of ['devnet.lock', 'devnet-inventory.json.tmp']) writeFileSync(join(home, name), '{');
    await make();
    expect(planStart(options(), home).record?.nodes).toHaveLength(1);
    expect(readInventory(home)).toMatchObject({ state: 'made' });
  });

  it('of before there were inventories continues, and --reset deletes what its record names', async () => {
    await make();
    rmSync(join(home, 'devnet-inventory.json'));
    writeFileSync(join(home, 'note'), '');
    expect(planStart(options(), home).record).toEqual(readRecord(home));
    const before = readRecord(home);
    await make({ reset: true, accounts: 1 });
    expect(readRecord(home)?.accounts[0]?.address).not.toBe(before?.accounts[0]?.address);
    expect(keyNames()).toEqual(['alice', 'node0']);
    expect(existsSync(join(home, 'note'))).toBe(true);
  });

  it('without its record cannot continue: the sentence names --reset, which works', async () => {
    await make();
    rmSync(recordPath(home));
    await expectRefused({}, /devnet\.json is missing, .* restore it, or start afresh with --reset/);
    writeFileSync(recordPath(home), '{');
    await expectRefused(
      {},
      /devnet\.json cannot be used: .* restore it, or start the devnet afresh with --reset/,
    );
    await make({ reset: true });
    expect(planStart(options(), home).record?.accounts).toHaveLength(2);
  });

  it('without record and inventory is no devnet: the sentence does not name --reset', async () => {
    await make();
    rmSync(join(home, 'devnet-inventory.json'));
    writeFileSync(recordPath(home), '{');
    for (const reset of [false, true])
      await expectRefused({ reset }, /cannot be used: .*; restore it, or choose another --home$/);
    rmSync(recordPath(home));
    await expectRefused({}, /not the home of a devnet and not empty \(keyring-test, node0\)/);
  });

  it('that cannot be made leaves nothing', async () => {
    mkdirSync(home);
    const settings = settingsFor(options(), undefined);
    const broken = createDevnet({ home, settings, mnemonic: 'a b c', now: new Date(0) });
    await expect(broken).rejects.toThrow('mnemonic');
    expect(readdirSync(home)).toEqual([]);
  });
});

describe('a making that was cut off', () => {
  const files = filesOfSettings({ validators: 1, accounts: 2 });

  // What is there between two of its steps, and, where a devnet was there before, of the deleting.
  it.each([
    [0, false],
    [1, true],
    [2, false],
    [files.length, true],
  ])('without %i of its files is done again by the next start (--reset: %s)', async (count, reset) => {
    await make();
    const first = readRecord(home);
    writeInventory(home, { state: 'making', files });
    for (const file of files.slice(0, count)) rmSync(join(home, file), { recursive: true });
    await make({ reset, accounts: 3 });
    expect(planStart(options({ accounts: 3 }), home).record?.accounts[0]).not.toEqual(first?.accounts[0]);
    expect(keyNames()).toEqual(['alice', 'bob', 'carol', 'node0']);
  });
});
