import { describe, expect, it } from 'vitest';
import { settingsOf } from './command.ts';

const HASH = 'ab'.repeat(32);
const given = {
  primary: 'tcp://127.0.0.1:26657',
  witnesses: 'http://b:1, https://c:2/',
  trustedHeight: '17',
  trustedHash: HASH,
  trustingPeriod: '168h',
  trustLevel: '2/3',
  laddr: 'tcp://127.0.0.1:0',
  dir: '/tmp/x',
  logLevel: 'info',
};

it('options become settings', () => {
  expect(settingsOf('my-chain', given)).toEqual({
    chainId: 'my-chain',
    primary: 'http://127.0.0.1:26657',
    witnesses: ['http://b:1', 'https://c:2'],
    trust: { height: 17n, hash: new Uint8Array(32).fill(0xab) },
    trustingPeriodMs: 168 * 3_600_000,
    trustLevel: { numerator: 2n, denominator: 3n },
    sequential: false,
    passUnverified: false,
    listen: { host: '127.0.0.1', port: 0 },
    directory: '/tmp/x',
  });
  const { trustedHeight: _height, trustedHash: _hash, dir: _dir, ...rest } = given;
  const settings = settingsOf('my-chain', rest);
  expect(settings.trust).toBeUndefined();
  expect(settings.directory).toMatch(/\.openledgerd-light\/my-chain$/);
});

describe('a wrong option is named', () => {
  it.each([
    ['chain id', { chainId: 'a b' }],
    ['primary', { primary: 'ftp://x' }],
    ['witnesses', { witnesses: '' }],
    ['primary cannot be its own witness', { witnesses: 'http://127.0.0.1:26657' }],
    ['belong together', { trustedHash: undefined }],
    ['--trusted-height', { trustedHeight: '0' }],
    ['--trusted-hash', { trustedHash: 'abc' }],
    ['--trusting-period', { trustingPeriod: 'a week' }],
    ['--trust-level', { trustLevel: '0.3' }],
  ])('%s', (word, change) => {
    const { chainId = 'my-chain', ...options } = { ...given, ...change } as typeof given & {
      chainId?: string;
    };
    const pattern = word === 'primary' || word === 'witnesses' ? 'is not a URL' : word;
    expect(() => settingsOf(chainId, options)).toThrow(pattern);
  });
});
