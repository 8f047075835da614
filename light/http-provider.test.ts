import { describe, expect, it } from 'vitest';
import { defined } from '../core/errors.ts';
import { HttpProvider, type HttpProviderOptions } from './http-provider.ts';
import type { Json } from './json/json.ts';
import { JsonField } from './json/field.ts';
import { readEvidence } from './json/read-block.ts';
import type { Fetch } from './json-rpc.ts';
import { isBenign } from './provider.ts';
import { CHAIN_ID, type Powers, START, TestClock, testChain } from './testing/chain.ts';
import { type Handler, RpcFailure, testRpc } from './testing/rpc.ts';

const chain = testChain({ length: 10 });
const five = defined(chain[4], 'block 5');

function provider(fetch: Fetch, options: Partial<HttpProviderOptions> = {}) {
  const clock = new TestClock(START);
  return {
    clock,
    provider: new HttpProvider({ chainId: CHAIN_ID, url: 'http://node', clock, fetch, ...options }),
  };
}

const honest = provider(testRpc(chain).fetch).provider;

it('a block is read as it was made, with the same priorities', async () => {
  expect(await honest.lightBlock(5n)).toEqual({
    ...five,
    validators: { ...five.validators, proposer: expect.anything() },
  });
  expect((await honest.lightBlock(undefined)).header.height).toBe(10n);
});

it('a large set comes in pages', async () => {
  const powers: Powers = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`v${i}`, BigInt(i + 1)]));
  const rpc = testRpc(testChain({ length: 1, validators: () => powers }));
  const block = await provider(rpc.fetch).provider.lightBlock(1n);
  expect(block.validators.validators).toHaveLength(250);
  expect(rpc.calls).toEqual(['commit', 'validators', 'validators', 'validators']);
});

describe('what is no proof of bad faith', () => {
  it.each([
    ['a height that is not there yet', 11n, 'light.height_too_high'],
    ['a height that is gone', 0n, 'light.not_found'],
  ])('%s', async (_, height, code) => {
    await expect(honest.lightBlock(height)).rejects.toEqual(expect.objectContaining({ code }));
  });

  it('no answer: it is asked three times, later each time', async () => {
    let calls = 0;
    const { clock, provider: silent } = provider(() => {
      calls++;
      return Promise.reject(new TypeError('fetch failed'));
    });
    const error: unknown = await silent.lightBlock(5n).catch((e: unknown) => e);
    expect(error).toEqual(expect.objectContaining({ code: 'light.no_response' }));
    expect(isBenign(error)).toBe(true);
    expect([calls, clock.slept]).toEqual([3, [500, 2000]]);
  });

  it('a gateway without a node behind it', async () => {
    const html = (): Promise<Response> => Promise.resolve(new Response('<html>', { status: 502 }));
    await expect(provider(html).provider.lightBlock(5n)).rejects.toThrow('HTTP 502');
  });

  it('an answer that takes too long', async () => {
    const never: Fetch = (_, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      });
    const { provider: slow } = provider(never, { timeoutMs: 5, attempts: 1 });
    await expect(slow.lightBlock(5n)).rejects.toThrow('no answer within 5 ms');
  });

  it('an error of the node', async () => {
    const fail: Handler = () => {
      throw new RpcFailure('could not find validator set for height #5');
    };
    const { fetch } = testRpc(chain, { validators: fail });
    await expect(provider(fetch).provider.lightBlock(5n)).rejects.toEqual(
      expect.objectContaining({ code: 'light.no_response' }),
    );
  });
});

describe('what no honest node answers', () => {
  const original = testRpc(chain);
  const resultOf = async (method: string): Promise<Json> => {
    const body = JSON.stringify({ id: 1, method, params: { height: '5', page: '1', per_page: '100' } });
    const { result } = (await (await original.fetch('', { body })).json()) as { result: Json };
    return result;
  };
  const changed = async (method: string, change: (text: string) => string): Promise<Fetch> => {
    const text = change(JSON.stringify(await resultOf(method)));
    return testRpc(chain, { [method]: () => JSON.parse(text) as Json }).fetch;
  };

  it.each([
    ['another height', 'commit', (t: string) => t.replaceAll('"height":"5"', '"height":"6"')],
    ['another chain', 'commit', (t: string) => t.replace(CHAIN_ID, 'other')],
    [
      'another header than the commit',
      'commit',
      (t: string) => t.replace(/"app_hash":"../, '"app_hash":"00'),
    ],
    ['a header without a time', 'commit', (t: string) => t.replace('"time"', '"tide"')],
    ['no signatures', 'commit', (t: string) => t.replace(/"signatures":\[.*?\]/, '"signatures":null')],
    ['hexadecimal that is none', 'commit', (t: string) => t.replace(/"data_hash":"./, '"data_hash":"x')],
    ['other powers', 'validators', (t: string) => t.replace('"voting_power":"10"', '"voting_power":"11"')],
    ['an address of another key', 'validators', (t: string) => t.replace(/"address":"../, '"address":"00')],
    ['no validators', 'validators', (t: string) => t.replace(/"validators":\[.*\]/, '"validators":[]')],
    ['null', 'commit', () => 'null'],
    ['a list', 'validators', () => '[]'],
  ])('%s', async (_, method, change) => {
    const { provider: liar } = provider(await changed(method, change));
    await expect(liar.lightBlock(5n)).rejects.toEqual(expect.objectContaining({ code: 'light.bad_block' }));
  });

  it('pages without end are not read to the end', async () => {
    const page = (await resultOf('validators')) as { validators: Json[] };
    const endless: Handler = () => ({ ...page, total: '9000000000000' });
    const rpc = testRpc(chain, { validators: endless });
    await expect(provider(rpc.fetch).provider.lightBlock(5n)).rejects.toThrow('more than 10000 validators');
    expect(rpc.calls.length).toBe(101);
  });

  it('an answer without end is not read to the end', async () => {
    let sent = 0;
    const endless: Fetch = () => {
      const body = new ReadableStream({
        pull(controller): void {
          sent++;
          controller.enqueue(new Uint8Array(1 << 20).fill(32));
        },
      });
      return Promise.resolve(new Response(body));
    };
    await expect(provider(endless).provider.lightBlock(5n)).rejects.toThrow('longer than');
    expect(sent).toBeLessThan(15);
  });

  it('text that is not JSON', async () => {
    const text: Fetch = () => Promise.resolve(new Response('hello'));
    await expect(provider(text).provider.lightBlock(5n)).rejects.toThrow('not JSON');
  });
});

it('evidence is handed in in a form that nodes read', async () => {
  const given: unknown[] = [];
  const rpc = testRpc(chain, {
    broadcast_evidence: ({ evidence }) => {
      given.push(evidence);
      return { hash: '' };
    },
  });
  const evidence = {
    kind: 'lightClientAttack' as const,
    conflictingBlock: five,
    commonHeight: 4n,
    byzantineValidators: five.validators.validators.slice(0, 2),
    totalVotingPower: 40n,
    timestamp: five.header.time,
  };
  await provider(rpc.fetch).provider.reportEvidence(evidence);
  expect(readEvidence(new JsonField(given[0], 'evidence'))).toEqual(evidence);
});
