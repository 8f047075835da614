import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, CommanderError } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LedgerError } from '../core/errors.ts';
import { failureText, sentenceOf } from './failure.ts';
import { createProgram } from './program.ts';
import { rpcUrl } from './status.ts';

const MNEMONIC =
  'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'openledgerd-cli-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Exits of the parser become errors. */
function withoutExit(command: Command): void {
  command.exitOverride();
  for (const each of command.commands) withoutExit(each);
}

/** Runs one command; resolves to its standard output. */
async function run(
  args: readonly string[],
  input: readonly string[] = [],
  notes: string[] = [],
): Promise<string> {
  let out = '';
  const lines = [...input];
  const program = createProgram({
    out: (text) => {
      out += text;
    },
    note: (line) => void notes.push(line),
    interactive: false,
    ask: async () => lines.shift() ?? '',
  });
  withoutExit(program);
  try {
    await program.parseAsync(['node', 'openledgerd', ...args]);
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
  }
  return out;
}

const keys = (...args: string[]) => ['keys', ...args, '--home', home, '--output', 'json'];

describe('a command that is not there', () => {
  it.each([
    [['nonsense'], 'nonsense'],
    [['nonsense', '--help'], 'nonsense'],
    [['--trace', 'nonsense', '-h'], 'nonsense'],
    [['keys', 'nonsense', '--help'], 'nonsense'],
    [['attest', 'index', 'nonsense', '--help'], 'nonsense'],
    [['audit', 'nonsense', '--help'], 'nonsense'],
  ])('is an error, whether help is asked for or not: %j', async (args, name) => {
    const notes: string[] = [];
    await expect(run(args, [], notes)).rejects.toMatchObject({ exitCode: 1 });
    expect(notes[0]).toBe(`openledgerd: unknown command '${name}'`);
  });

  it.each([
    [['--help'], 'openledgerd [options] [command]'],
    [['help'], 'openledgerd [options] [command]'],
    [['help', 'keys'], 'openledgerd keys'],
    [['keys', '--help'], 'openledgerd keys'],
    [['keys', 'help', 'add'], 'openledgerd keys add'],
    [['keys', 'add', 'bob', '--help'], 'openledgerd keys add'],
    [['audit', 'export', '--help'], 'openledgerd audit export'],
  ])('is told from one that is: %j', async (args, usage) => {
    expect(await run(args)).toContain(`Usage: ${usage}`);
  });
});

describe('openledgerd keys', () => {
  it('brings a key back from its mnemonic, under the prefix of the chain', async () => {
    const printed = await run(keys('recover', 'alice', '--prefix', 'cosmos'), [MNEMONIC, 'correct horse']);
    expect(JSON.parse(printed)).toMatchObject({ address: 'cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4' });
    const listed = JSON.parse(await run(keys('list')));
    expect(listed.map((key: { name: string }) => key.name)).toEqual(['alice']);
  });

  it('prints the mnemonic of a new key once, and never again', async () => {
    const added = JSON.parse(await run(keys('add', 'bob', '--keyring-backend', 'test')));
    expect(added.mnemonic.split(' ')).toHaveLength(24);
    const shown = JSON.parse(await run(keys('show', 'bob', '--keyring-backend', 'test')));
    expect(shown).toEqual({ name: 'bob', type: 'local', address: added.address, pubkey: added.pubkey });
  });

  it('prints addresses under the prefix of the devnet in the home', async () => {
    const record = {
      version: 1,
      chain_id: 'c',
      prefix: 'cosmos',
      denom: 'uatom',
      block_time_ms: 1,
      rpc_port: 0,
    };
    writeFileSync(join(home, 'devnet.json'), JSON.stringify({ ...record, nodes: [], accounts: [] }));
    const printed = await run(keys('recover', 'alice', '--keyring-backend', 'test'), [MNEMONIC]);
    expect(JSON.parse(printed)).toMatchObject({ address: 'cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4' });
  });

  it('says that there are none', async () => {
    const notes: string[] = [];
    expect(await run(['keys', 'list', '--home', home], [], notes)).toBe('');
    expect(notes).toEqual([expect.stringMatching(/^there are no keys in the file keyring of .*keys add/)]);
    expect(JSON.parse(await run(keys('list')))).toEqual([]);
  });

  it('refuses a prefix and a home that cannot be', async () => {
    await expect(run(keys('list', '--prefix', 'A B'))).rejects.toThrow(
      /--prefix cannot be "A B"; it must be/,
    );
    await expect(run(['keys', 'list', '--home', '/dev/null'])).rejects.toThrow(/\/dev\/null is not a folder/);
    await expect(run(['status', '--home', '/dev/null'])).rejects.toThrow(/\/dev\/null is not a folder/);
    await expect(run(['init', '--home', '/dev/null'])).rejects.toThrow(/\/dev\/null is not a folder/);
  });

  it('says that a file with the passphrase cannot be read', async () => {
    const args = keys('add', 'bob', '--passphrase-file', join(home, 'nowhere'));
    await expect(run(args)).rejects.toThrow(/cannot read --passphrase-file .*nowhere \(ENOENT\)/);
  });

  it('deletes only what was named twice', async () => {
    await run(keys('add', 'bob', '--keyring-backend', 'test'));
    await expect(run(keys('delete', 'bob', '--keyring-backend', 'test'), ['no'])).rejects.toThrow(
      /not deleted/,
    );
    await run(keys('delete', 'bob', '--keyring-backend', 'test'), ['bob']);
    expect(JSON.parse(await run(keys('list', '--keyring-backend', 'test')))).toEqual([]);
  });

  it('refuses a mnemonic with a typo before it asks for a passphrase', async () => {
    await expect(run(keys('recover', 'x'), [MNEMONIC.replace('about', 'above')])).rejects.toThrow(
      /mnemonic is not/,
    );
  });
});

describe('openledgerd init', () => {
  it.each([
    ['open1xyz=5uopen', /--account open1xyz=5uopen is not an address and coins: .*bech32/],
    ['open1ua6537mgks432g3lh04fnz3fgvc9kku9re76wp=5u', /--account .* is not an address and coins: /],
  ])('with a wrong --account writes nothing: %s', async (account, message) => {
    const fresh = join(home, 'fresh');
    await expect(run(['init', 'me', '--home', fresh, '--account', account])).rejects.toThrow(message);
    expect(existsSync(fresh)).toBe(false);
  });
});

describe('openledgerd genesis validate', () => {
  it('says what is wrong with the file itself', async () => {
    const empty = join(home, 'empty.json');
    writeFileSync(empty, '\n');
    const validate = (file: string): Promise<string> => run(['genesis', 'validate', file]);
    await expect(validate(empty)).rejects.toThrow(`the genesis ${empty} is empty`);
    await expect(validate(home)).rejects.toThrow(`cannot read the genesis ${home}: it is a folder`);
    await expect(validate(join(home, 'x'))).rejects.toThrow('there is no such file');
  });
});

describe('a failure', () => {
  it('is one sentence with its causes, and the stack only when asked for', () => {
    const error = new LedgerError('x', 'cannot open the store', {}, new Error('lock is held\nby 7'));
    expect(sentenceOf(error)).toBe('cannot open the store: lock is held by 7');
    const missing = Object.assign(new Error("ENOENT: no such file, open '/a'"), { code: 'ENOENT' });
    expect(sentenceOf(new LedgerError('x', 'cannot read /a (ENOENT)', {}, missing))).toBe(
      'cannot read /a (ENOENT)',
    );
    expect(sentenceOf(new LedgerError('x', 'Restore it.', {}, new Error('no JSON')))).toBe(
      'Restore it: no JSON',
    );
    expect(failureText(error, false)).toBe('openledgerd: cannot open the store: lock is held by 7\n');
    expect(failureText(error, true)).toContain('program.test.ts');
  });
});

describe('openledgerd status', () => {
  it('takes URLs as CometBFT tools write them', () => {
    expect(rpcUrl('tcp://localhost:26657')).toBe('http://localhost:26657');
    expect(() => rpcUrl('localhost')).toThrow(/not a URL/);
  });

  it('says that what listens is no RPC', async () => {
    for (const answer of ['', 'multistream/1.0.0\n']) {
      const server = createServer(
        (socket) =>
          void socket
            .on('error', () => undefined)
            .resume()
            .end(answer),
      );
      const port = await new Promise<number>((resolve) => {
        server.listen(0, '127.0.0.1', () => {
          const address = server.address();
          resolve(typeof address === 'object' ? (address?.port ?? 0) : 0);
        });
      });
      await expect(run(['status', '--node', `http://127.0.0.1:${port}`])).rejects.toThrow(
        `cannot reach http://127.0.0.1:${port}: what listens there does not speak HTTP`,
      );
      server.close();
    }
  });

  it('says that nothing listens', async () => {
    await expect(run(['status', '--node', 'http://127.0.0.1:9'])).rejects.toThrow(/cannot reach/);
  });
});
