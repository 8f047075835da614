import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectSecp256k1HdWallet } from '@cosmjs/proto-signing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountAddress, keyOfMnemonic, mnemonicsOf, newMnemonic, normalizeMnemonic } from './hd.ts';
import { Keyring } from './keyring.ts';

const MNEMONIC =
  'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'openledgerd-keys-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe('keys of a mnemonic', () => {
  it.each([MNEMONIC, newMnemonic()])('are those that CosmJS derives', async (mnemonic) => {
    const wallet = await DirectSecp256k1HdWallet.fromMnemonic(mnemonic, { prefix: 'open' });
    const [account] = await wallet.getAccounts();
    const key = keyOfMnemonic(mnemonic);
    expect(key.publicKey).toEqual(account?.pubkey);
    expect(accountAddress('open', key.publicKey)).toBe(account?.address);
  });

  it('take any spacing and case, and refuse a wrong checksum', () => {
    expect(normalizeMnemonic(`  ${MNEMONIC.toUpperCase().replaceAll(' ', '\n ')} `)).toBe(MNEMONIC);
    expect(() => normalizeMnemonic(MNEMONIC.replace('about', 'zoo'))).toThrow(/checksum/);
    expect(() => keyOfMnemonic(MNEMONIC, 'n/1')).toThrow(/derivation path/);
  });

  it('come in a row from one mnemonic, all different, the same each time', () => {
    const row = mnemonicsOf(MNEMONIC, 5);
    expect(row[0]).toBe(MNEMONIC);
    expect(new Set(row).size).toBe(5);
    expect(mnemonicsOf(MNEMONIC, 3)).toEqual(row.slice(0, 3));
    for (const mnemonic of row) expect(normalizeMnemonic(mnemonic)).toBe(mnemonic);
  });
});

describe('keyring', () => {
  it('keeps keys under a passphrase', () => {
    const keyring = new Keyring(home, 'file');
    const key = keyOfMnemonic(MNEMONIC);
    keyring.add('alice', key, 'correct horse');
    const path = join(home, 'keyring-file', 'alice.json');
    expect(readFileSync(path, 'utf8')).not.toContain(Buffer.from(key.privateKey).toString('base64'));
    expect(statSync(path).mode & 0o077).toBe(0);
    expect(keyring.open('alice', 'correct horse')).toEqual(key);
    expect(() => keyring.open('alice', 'correct horsf')).toThrow(/wrong passphrase/);
    expect(() => keyring.open('alice')).toThrow(/needs its passphrase/);
    expect(() => keyring.add('bob', key, 'short')).toThrow(/at least 8 characters/);
    expect(() => keyring.add('alice', key, 'correct horse')).toThrow(/already/);
  });

  it('notices an exchanged public key', () => {
    const keyring = new Keyring(home, 'file');
    keyring.add('alice', keyOfMnemonic(MNEMONIC), 'correct horse');
    const path = join(home, 'keyring-file', 'alice.json');
    const other = Buffer.from(keyOfMnemonic(newMnemonic()).publicKey).toString('base64');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), pubkey: other }));
    expect(() => keyring.open('alice', 'correct horse')).toThrow(/changed/);
  });

  it('lists by name and deletes', () => {
    const keyring = new Keyring(home, 'test');
    for (const name of ['carol', 'alice', 'bob']) keyring.add(name, keyOfMnemonic(newMnemonic()));
    expect(keyring.list().map((entry) => entry.name)).toEqual(['alice', 'bob', 'carol']);
    keyring.delete('bob');
    expect(keyring.has('bob')).toBe(false);
    expect(() => keyring.find('bob')).toThrow(/no key named "bob"/);
  });

  it('refuses names that are not file names', () => {
    const keyring = new Keyring(home, 'test');
    for (const name of ['', '../x', 'a/b', '.hidden', 'x'.repeat(65)]) {
      expect(() => keyring.add(name, keyOfMnemonic(MNEMONIC))).toThrow(/not a key name/);
    }
  });
});
