import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readGenesisFile } from '../home/genesis-file.ts';
import { openHome } from '../home/open.ts';
import { createProgram } from '../program.ts';

const FUNDS = '500000000uopen';
const TEST_KEYRING = ['--keyring-backend', 'test'];

let root = '';
/** What commands wrote to standard error. */
let notes: string[] = [];
beforeEach(() => {
  notes = [];
  root = mkdtempSync(join(tmpdir(), 'openledgerd-genesis-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Runs one command on the home of a node; resolves to its standard output. */
async function run(node: string, ...args: readonly string[]): Promise<string> {
  let out = '';
  const program = createProgram({
    out: (text) => {
      out += text;
    },
    note: (line) => void notes.push(line),
    interactive: false,
    ask: async () => '',
  });
  await program.parseAsync(['node', 'openledgerd', ...args, '--home', join(root, node)]);
  return out;
}

const fileOf = (node: string): string => join(root, node, 'config', 'genesis.json');
const gentxsOf = (node: string): string => join(root, node, 'config', 'gentx');

/** A home with a key, whose account has coins in its genesis. */
async function member(node: string, from?: string): Promise<string> {
  const chain =
    from === undefined ? ['--chain-id', 'many-1', '--default-denom', 'uopen'] : ['--genesis', fileOf(from)];
  await run(
    node,
    'init',
    node,
    ...chain,
    '--p2p-laddr',
    'tcp://127.0.0.1:1234',
    '--rpc-laddr',
    'tcp://127.0.0.1:0',
  );
  const key = JSON.parse(await run(node, 'keys', 'add', 'me', '--output', 'json', ...TEST_KEYRING));
  return key.address;
}

describe('openledgerd genesis', () => {
  it('makes accounts that vest, as with the tools of the SDK', async () => {
    await member('a');
    const add = (key: string, ...vesting: readonly string[]) =>
      run('a', 'genesis', 'add-genesis-account', key, '10uopen', ...vesting, ...TEST_KEYRING);
    for (const key of ['late', 'slow', 'none'])
      await run('a', 'keys', 'add', key, '--output', 'json', ...TEST_KEYRING);
    await add('late', '--vesting-amount', '4uopen', '--vesting-end-time', '1900000000');
    const times = ['--vesting-start-time', '1800000000', '--vesting-end-time', '1900000000'];
    await add('slow', '--vesting-amount', '10uopen', ...times);
    expect(await run('a', 'genesis', 'validate')).toContain('is valid');
    const { auth } = readGenesisFile(fileOf('a')).document.appState;
    const held = (coins: string) => ({
      original_vesting: [{ denom: 'uopen', amount: coins }],
      end_time: '1900000000',
    });
    expect(auth).toMatchObject({
      accounts: expect.arrayContaining([
        expect.objectContaining({
          '@type': '/cosmos.vesting.v1beta1.DelayedVestingAccount',
          base_vesting_account: expect.objectContaining(held('4')),
        }),
        expect.objectContaining({
          '@type': '/cosmos.vesting.v1beta1.ContinuousVestingAccount',
          start_time: '1800000000',
          base_vesting_account: expect.objectContaining(held('10')),
        }),
      ]),
    });
    await expect(add('slow')).rejects.toThrow('has an account already');
    await expect(add('none', '--vesting-amount', '11uopen', ...times)).rejects.toThrow(
      'vesting amount cannot be greater than total amount',
    );
    await expect(add('none', '--vesting-amount', '1uopen')).rejects.toThrow('must supply start and end time');
    await expect(add('none', ...times)).rejects.toThrow('of use with --vesting-amount only');
  });

  it('makes a chain of several validators, as with the tools of the SDK', async () => {
    await member('a');
    const other = await member('b', 'a');
    await run('a', 'genesis', 'add-genesis-account', 'me', FUNDS, ...TEST_KEYRING);
    await run('a', 'genesis', 'add-genesis-account', other, FUNDS);
    copyFileSync(fileOf('a'), fileOf('b'));
    await run('a', 'genesis', 'gentx', 'me', '300000000uopen', '--website', 'https://a', ...TEST_KEYRING);
    await run('b', 'genesis', 'gentx', 'me', '100000000uopen', '--ip', '10.0.0.2', ...TEST_KEYRING);
    for (const name of readdirSync(gentxsOf('b')))
      copyFileSync(join(gentxsOf('b'), name), join(gentxsOf('a'), name));
    await run('a', 'genesis', 'collect-gentxs');
    expect(await run('a', 'genesis', 'validate')).toBe(
      `${fileOf('a')} is valid: chain many-1, 2 validator(s), starts at height 1\n`,
    );
    const { document } = readGenesisFile(fileOf('a'));
    expect(document.validators).toEqual([]);
    expect(document.appState['bank']).toMatchObject({ supply: [{ denom: 'uopen', amount: '1000000000' }] });
    const [peer, ...others] = openHome(join(root, 'a')).node.p2p.persistentPeers;
    expect([peer?.includes('10.0.0.2'), others]).toEqual([true, []]);
  });

  it('warns of evidence that is too old before the stake that it is about is free', async () => {
    await member('a');
    const set = (from: string, to: string): void => {
      const text = readFileSync(fileOf('a'), 'utf8');
      expect(text).toContain(from);
      writeFileSync(fileOf('a'), text.replace(from, to));
    };
    // Of one fixed validator: there is no stake to be lost.
    notes.length = 0;
    set('"max_age_duration": "1814400000000000"', '"max_age_duration": "172800000000000"');
    await run('a', 'genesis', 'validate');
    expect(notes).toEqual([]);
    await run('a', 'genesis', 'add-genesis-account', 'me', FUNDS, ...TEST_KEYRING);
    await run('a', 'genesis', 'gentx', 'me', '300000000uopen', ...TEST_KEYRING);
    await run('a', 'genesis', 'collect-gentxs');
    const warning =
      /^warning: evidence counts for 48 h .*, but stake is free after 504 h .* at least 1814400000000000,/;
    expect(notes.at(-1)).toMatch(warning);
    notes.length = 0;
    await run('a', 'genesis', 'validate');
    expect(notes).toEqual([expect.stringMatching(warning)]);
    set('"max_age_duration": "172800000000000"', '"max_age_duration": "1814400000000000"');
    notes.length = 0;
    await run('a', 'genesis', 'validate');
    expect(notes).toEqual([]);
  });

  it('refuses to give an account twice, but for --append', async () => {
    await member('a');
    const add = (...more: string[]): Promise<string> =>
      run('a', 'genesis', 'add-genesis-account', 'me', '7uopen', ...TEST_KEYRING, ...more);
    await add();
    await expect(add()).rejects.toThrow('has an account already; --append adds the coins to it');
    await add('--append');
    expect(readGenesisFile(fileOf('a')).document.appState).toMatchObject({
      auth: { accounts: [{ account_number: '0' }] },
      bank: { balances: [{ coins: [{ denom: 'uopen', amount: '14' }] }], supply: [{ amount: '14' }] },
    });
  });

  it('says what is wrong with a genesis transaction before it is made', async () => {
    await member('a');
    const gentx = (amount: string, ...more: string[]): Promise<string> =>
      run('a', 'genesis', 'gentx', 'me', amount, ...TEST_KEYRING, ...more);
    await expect(gentx('5000000uopen')).rejects.toThrow(/has 0uopen in .*, less than 5000000uopen/);
    await run('a', 'genesis', 'add-genesis-account', 'me', FUNDS, ...TEST_KEYRING);
    await expect(gentx('5000000stake')).rejects.toThrow('stake cannot be staked: app_state.staking.params');
    await expect(gentx('lots')).rejects.toThrow('"lots" is no amount of one coin');
    await expect(gentx('5000000uopen', '--commission-rate', '2')).rejects.toThrow(
      'the chain would refuse this genesis transaction: gentx.body.messages: commission cannot be more than',
    );
    await expect(run('a', 'genesis', 'collect-gentxs')).rejects.toThrow(
      'there are no genesis transactions in',
    );
    await gentx('5000000uopen');
    await expect(gentx('5000000uopen')).rejects.toThrow('exists already; delete it first');
  });

  it('leaves the genesis as it is when its chain would not start', async () => {
    await member('a');
    await run('a', 'genesis', 'add-genesis-account', 'me', FUNDS, ...TEST_KEYRING);
    await run('a', 'genesis', 'gentx', 'me', '900000uopen', ...TEST_KEYRING);
    const before = readFileSync(fileOf('a'), 'utf8');
    await expect(run('a', 'genesis', 'collect-gentxs')).rejects.toThrow(
      /would not start: app_state.genutil.gen_txs: no validator has the power to sign/,
    );
    expect(readFileSync(fileOf('a'), 'utf8')).toBe(before);
  });
});
