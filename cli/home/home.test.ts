import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toUpperHex } from '../../core/bytes.ts';
import { configureNodes } from '../devnet/configure.ts';
import { createDevnet } from '../devnet/layout.ts';
import { readRecord } from '../devnet/record.ts';
import type { DevnetSettings } from '../devnet/settings.ts';
import { Keyring } from '../wallet/keyring.ts';
import { tryGenesis } from '../genesis/try.ts';
import { checkGenesis, readGenesisFile } from './genesis-file.ts';
import { initNode } from './init-node.ts';
import { readNodeKey } from './node-key.ts';
import { openHome } from './open.ts';

const MNEMONIC =
  'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'openledgerd-home-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const settings: DevnetSettings = {
  chainId: 'test-1',
  prefix: 'cosmos',
  denom: 'uatom',
  validators: 3,
  accounts: 2,
  blockTimeMs: 200,
  rpcPort: 0,
};
const init = (directory: string, given: Partial<Parameters<typeof initNode>[0]> = {}) =>
  initNode({
    home: join(home, directory),
    moniker: 'me',
    newChainId: 'new-1',
    account: [],
    now: new Date(1_700_000_000_123),
    ...given,
  });

describe('a devnet', () => {
  it('has nodes of one chain that know each other, and accounts with money', async () => {
    const made = await createDevnet({ home, settings, mnemonic: MNEMONIC, now: new Date(0) });
    expect(readRecord(home)).toEqual(made);
    expect(made.accounts.map(({ name, address }) => [name, address])[0]).toEqual([
      'alice',
      'cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4',
    ]);
    const texts = made.nodes.map((node) => readFileSync(join(node.home, 'config', 'genesis.json'), 'utf8'));
    expect(new Set(texts).size).toBe(1);
    const { document, prefix } = checkGenesis(texts[0] ?? '');
    expect([document.chainId, prefix, document.validators.length]).toEqual(['test-1', 'cosmos', 0]);
    expect(document.appState['bank']).toMatchObject({
      supply: [{ denom: 'uatom', amount: '2000300000000' }],
    });
    expect(new Keyring(home, 'test').list().map((entry) => entry.name)).toEqual([
      'alice',
      'bob',
      'node0',
      'node1',
      'node2',
    ]);
  });

  it('has validators that staking makes of genesis transactions, with equal power', async () => {
    const made = await createDevnet({ home, settings, now: new Date(0) });
    const checked = readGenesisFile(join(home, 'node0', 'config', 'genesis.json'));
    expect(tryGenesis('devnet', checked)).toBe(3);
    const genTxs = Object(checked.document.appState['genutil'])['gen_txs'];
    const messages = genTxs.map((genTx: { body: { messages: unknown[] } }) => genTx.body.messages[0]);
    expect(messages).toMatchObject(
      made.nodes.map(({ moniker, operator }) => ({
        '@type': '/cosmos.staking.v1beta1.MsgCreateValidator',
        description: { moniker },
        validator_address: operator,
        value: { denom: 'uatom', amount: '100000000' },
      })),
    );
  });

  it('takes evidence for as long as stake needs to unbond', async () => {
    await createDevnet({ home, settings, now: new Date(0) });
    const checked = readGenesisFile(join(home, 'node0', 'config', 'genesis.json'));
    expect(checked.warnings).toEqual([]);
    expect(checked.document.consensusParams.evidence).toEqual({
      maxAgeNumBlocks: 9_072_000n, // of 200 ms
      maxAgeDuration: { seconds: 1_814_400n, nanos: 0 },
      maxBytes: 1_048_576n,
    });
  });

  it('gets its ports and peers at each start, and keeps what else was configured', async () => {
    const record = await createDevnet({ home, settings, now: new Date(0) });
    const ports = [1, 2, 3].map((i) => ({ rpc: 10_000 + i, p2p: 20_000 + i }));
    configureNodes({ record, ports, blockTimeMs: 200 });
    const node1 = join(home, 'node1');
    const file = join(node1, 'config', 'config.toml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('size = 5000', 'size = 77'));
    configureNodes({ record, ports: ports.toReversed(), blockTimeMs: 300 });
    const { node, app } = openHome(node1);
    expect(node.rpc.laddr).toBe('tcp://127.0.0.1:10002');
    expect(node.consensus.timeoutCommitMs).toBe(300);
    expect(node.mempool.size).toBe(77);
    expect(node.p2p.persistentPeers.map((peer) => peer.split('/')[4])).toEqual(['20003', '20001']);
    expect(app.minimumGasPrices).toBe('0.001uatom');
  });
});

describe('openledgerd init', () => {
  it('makes a validator with a secp256k1 key, where the chain allows it', async () => {
    const made = await init('a', { keyType: 'secp256k1' });
    const { document } = readGenesisFile(made.genesis);
    expect(document.validators[0]?.keyType).toBe('secp256k1');
    expect(toUpperHex(document.validators[0]?.address ?? new Uint8Array(0))).toBe(made.validator_address);
    expect(document.consensusParams.validator?.pubKeyTypes).toEqual(['secp256k1']);
    const key = JSON.parse(readFileSync(join(made.home, 'config', 'priv_validator_key.json'), 'utf8'));
    expect(key.priv_key.type).toBe('tendermint/PrivKeySecp256k1');
    expect(key.address).toBe(made.validator_address);
    await init('b', { genesis: made.genesis, keyType: 'secp256k1' });
    await expect(init('c', { genesis: made.genesis, keyType: 'ed25519' })).rejects.toThrow(
      '--key-type ed25519: validators of this chain have keys of type secp256k1',
    );
    await expect(init('c', { keyType: 'sr25519' })).rejects.toThrow('must be ed25519 or secp256k1');
  });

  it('makes a chain of one validator', async () => {
    const account = 'open1dn9kejzqa4cruu5ldhtp4zp2tefg4sh8w40xh3=5uopen';
    const made = await init('a', { account: [account] });
    const { document, prefix } = readGenesisFile(made.genesis);
    expect([document.chainId, prefix]).toEqual(['new-1', 'open']);
    expect(document.validators.map(({ name }) => name)).toEqual(['me']);
    expect(document.consensusParams.evidence).toMatchObject({
      maxAgeNumBlocks: 1_814_400n,
      maxAgeDuration: { seconds: 1_814_400n },
    });
    for (const file of ['priv_validator_key.json', 'node_key.json']) {
      expect(statSync(join(home, 'a', 'config', file)).mode & 0o077).toBe(0);
    }
    expect(readNodeKey(join(home, 'a', 'config', 'node_key.json'))).toHaveLength(64);
  });

  it('joins the chain of a genesis, byte for byte', async () => {
    const { genesis } = await init('a');
    const peer = '12D3KooWSAbPNNFpUYQBCjpDeGuf8YgnaP7Vm4fHiEiP3vW42Rxz@127.0.0.1:5';
    const joined = await init('b', { genesis, persistentPeers: peer, rpcLaddr: 'tcp://127.0.0.1:0' });
    expect(readFileSync(joined.genesis)).toEqual(readFileSync(genesis));
    expect(openHome(join(home, 'b')).node.p2p.persistentPeers).toEqual([peer]);
  });

  it.each([
    [{ genesis: 'nowhere.json' }, /cannot read the genesis nowhere\.json: there is no such file/],
    [{ persistentPeers: 'me' }, /p2p\.persistent_peers is "me", but must be a comma-separated list/],
    [{ rpcLaddr: 'x' }, /rpc\.laddr is "x"/],
    [{ minimumGasPrices: 'cheap' }, /minimum-gas-prices is "cheap"/],
    [{ moniker: '' }, /moniker is ""/],
  ])('refuses %j and makes nothing', async (given, message) => {
    await expect(init('c', given)).rejects.toThrow(message);
    expect(statSync(join(home, 'c'), { throwIfNoEntry: false })).toBeUndefined();
  });

  it('refuses another chain id than the genesis has, and never overwrites', async () => {
    const { genesis } = await init('a');
    await expect(init('b', { genesis, chainId: 'other' })).rejects.toThrow(/is of chain new-1, not of other/);
    await expect(init('a')).rejects.toThrow(/holds a node already/);
  });
});

describe('a genesis', () => {
  it('is refused with the place of what is wrong', async () => {
    const { genesis } = await init('a');
    const edited = (edit: (json: Record<string, Record<string, unknown>>) => void): string => {
      const json = JSON.parse(readFileSync(genesis, 'utf8'));
      edit(json);
      const file = join(home, 'edited.json');
      writeFileSync(file, JSON.stringify(json));
      return file;
    };
    const refused = (file: string) => () => readGenesisFile(file);
    expect(refused(edited((json) => Object.assign(json, { validators: [] })))).toThrow(
      /validators: is empty/,
    );
    expect(refused(edited((json) => Object.assign(json['app_state'] ?? {}, { nosuch: {} })))).toThrow(
      /app_state\.nosuch: there is no module/,
    );
  });
});

describe('a home', () => {
  it('that is none is said to be none', () => {
    expect(() => openHome(join(home, 'x'))).toThrow(/there is no node in .*; make one with init/);
  });

  it('with a damaged node key is refused', () => {
    const file = join(home, 'node_key.json');
    for (const text of ['', '{}', '{"priv_key":{"type":"tendermint/PrivKeyEd25519","value":"AAAA"}}']) {
      writeFileSync(file, text);
      expect(() => readNodeKey(file)).toThrow(/node key .* cannot be read/);
    }
  });
});
