import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatListenAddress, parseListenAddress, parsePeerAddress } from './address.ts';
import { formatDuration, parseDuration } from './duration.ts';
import {
  defaultAppConfig,
  defaultNodeConfig,
  readAppConfig,
  readNodeConfig,
  writeAppConfig,
  writeNodeConfig,
} from './toml.ts';

const PEER = '12D3KooWGzh5uHEHyQ4QG5oFxHnZ9y2oW8hVvPjZ9fJtQ2oJmN1a';
const node = (text: string) => readNodeConfig({ file: 'config.toml', text });

describe('durations', () => {
  it('read as Go writes them', () => {
    expect(parseDuration('1m30s')).toBe(90_000);
    expect(parseDuration('1.5s')).toBe(1_500);
    expect(parseDuration('0')).toBe(0);
  });

  it('come back from their text', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (ms) => parseDuration(formatDuration(ms)) === ms),
    );
  });

  it.each(['', '5', '1d', 's', '1s ', '-1s', '0.0001s', '1e3s', '600h'])('refuse %j', (text) => {
    expect(() => parseDuration(text)).toThrow(/duration|whole|longer/);
  });
});

describe('addresses', () => {
  it('read as CometBFT writes them', () => {
    expect(parseListenAddress('tcp://127.0.0.1:26657')).toEqual({ host: '127.0.0.1', port: 26657 });
    expect(parseListenAddress(':26656')).toEqual({ host: '0.0.0.0', port: 26656 });
    expect(parseListenAddress('tcp://[::1]:1')).toEqual({ host: '::1', port: 1 });
    expect(formatListenAddress({ host: '::1', port: 1 })).toBe('tcp://[::1]:1');
  });

  it.each(['', 'localhost', 'tcp://h:70000', 'http://h:1', 'h:'])('refuse %j', (text) => {
    expect(() => parseListenAddress(text)).toThrow(/is not an address/);
  });

  it('turn both forms of a peer into a multiaddr', () => {
    const multiaddr = `/ip4/10.0.0.1/tcp/26656/p2p/${PEER}`;
    expect(parsePeerAddress(multiaddr)).toBe(multiaddr);
    expect(parsePeerAddress(`${PEER}@10.0.0.1:26656`)).toBe(multiaddr);
    expect(parsePeerAddress(`${PEER}@seed.example:1`)).toBe(`/dns/seed.example/tcp/1/p2p/${PEER}`);
    expect(() => parsePeerAddress('0123456789abcdef0123456789abcdef01234567@h')).toThrow(
      /not a peer address/,
    );
  });
});

describe('config.toml', () => {
  it('has CometBFT defaults where nothing is said', () => {
    const config = defaultNodeConfig();
    expect(config.rpc.laddr).toBe('tcp://127.0.0.1:26657');
    expect(config.consensus.timeoutProposeMs).toBe(3_000);
    expect(config.mempool.size).toBe(5_000);
  });

  it('comes back from its text', () => {
    const config = node(
      `moniker = "n\\"1"\n[p2p]\npersistent_peers = "${PEER}@127.0.0.1:1, ${PEER}@127.0.0.1:2"\n[consensus]\ntimeout_commit = "200ms"`,
    ).config;
    expect(config.p2p.persistentPeers).toHaveLength(2);
    expect(config.consensus.timeoutCommitMs).toBe(200);
    const again = node(writeNodeConfig(config));
    expect(again).toEqual({ config, warnings: [] });
  });

  it.each([
    ['[consensus]\ntimeout_commit = "soon"', /consensus\.timeout_commit is "soon", but must be a duration/],
    ['[rpc]\nladdr = 26657', /rpc\.laddr is 26657, but must be an address/],
    ['[mempool]\nsize = 0', /mempool\.size is 0, but must be a whole number from 1/],
    ['[mempool]\nmax_tx_bytes = 2097147', /max_tx_bytes is 2097147, but must be .* from 1000 to 2097146/],
    ['log_level = "loud"', /log_level is "loud", but must be a level/],
    ['db_backend = "rocksdb"', /db_backend is "rocksdb", but must be one of "leveldb"/],
    ['[p2p]\npersistent_peers = "me"', /p2p\.persistent_peers is "me", but must be/],
    ['moniker = ""', /moniker is "", but must be 1 to 70/],
    ['rpc = 1', /rpc is 1, but must be a section/],
    ['moniker = ', /config\.toml is not valid TOML/],
  ])('refuses %j naming key, value and what is allowed', (text, message) => {
    expect(() => node(text)).toThrow(message);
  });

  it('says once, and in one line, where a file is no TOML', () => {
    const wrong = (): unknown => node('moniker = "a"\n[rpc\n');
    expect(wrong).toThrow(/^config\.toml is not valid TOML: (?!.*TOML)[^\n]* \(line 2\)$/);
    expect(wrong).not.toThrow(expect.objectContaining({ cause: expect.anything() }));
  });

  it('warns of keys and sections that have no effect', () => {
    const { warnings } = node('nosuch = 1\n[rpc]\nlader = "x"\n[storage]\nenable = true');
    expect(warnings).toEqual([
      'config.toml: nosuch is not a known setting',
      'config.toml: rpc.lader is not a known setting',
      'config.toml: section [storage] is not used',
    ]);
  });
});

describe('app.toml', () => {
  it('comes back from its text', () => {
    const config = { ...defaultAppConfig(), minimumGasPrices: '0.0025uopen,1uatom' };
    const again = readAppConfig({ file: 'app.toml', text: writeAppConfig(config) });
    expect(again).toEqual({ config, warnings: [] });
  });

  it.each(['uopen', '0.1', '0.1uopen,', '-1uopen', '1uopen 2uatom'])('refuses the gas price %j', (price) => {
    const text = `minimum-gas-prices = ${JSON.stringify(price)}`;
    expect(() => readAppConfig({ file: 'app.toml', text })).toThrow(/minimum-gas-prices is .* decimal coins/);
  });
});
