import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DecodeError } from '../core/errors.ts';
import { AddressBook, DEFAULT_ADDRESS_BOOK } from './address-book.ts';
import { makeAddress, parseAddress, type PeerAddress } from './address.ts';
import { ADDRESSES_MAX } from './exchange-limits.ts';
import {
  decodeAddressesRequest,
  decodeAddressesResponse,
  encodeAddressesRequest,
  encodeAddressesResponse,
} from './exchange.ts';
import { strangerId } from './testing.ts';
import { VirtualTimers } from './timers.ts';

const ME = strangerId(0);
const LIMITS = {
  ...DEFAULT_ADDRESS_BOOK,
  newMax: 40,
  newPerSourceMax: 5,
  newPerSourceGroupMax: 10,
  perGroupMax: 8,
};

function openBook(options: { readonly strict?: boolean; readonly limits?: typeof LIMITS } = {}): {
  readonly book: AddressBook;
  readonly timers: VirtualTimers;
} {
  const timers = new VirtualTimers();
  const { strict = true, limits = LIMITS } = options;
  return { timers, book: new AddressBook({ timers, random: () => 0.4 }, { nodeId: ME, strict, limits }) };
}

function at(host: string, seed: number): PeerAddress {
  const address = makeAddress({ host, port: 26656, peerId: strangerId(seed) });
  if (address === undefined) throw new Error(`test address ${host}`);
  return address;
}

/** The n-th address, each in a network of its own. */
const far = (n: number): PeerAddress => at(`${20 + (n % 70)}.${n % 250}.1.1`, n);

describe('addresses', () => {
  test('are numbers, in one spelling, of nodes with ed25519 keys', () => {
    const id = strangerId(1);
    expect(parseAddress(`/ip4/20.1.2.3/tcp/1/p2p/${id}`)).toMatchObject({ group: '20.1', routable: true });
    expect(parseAddress(`/ip6/2A00:0:1::5/tcp/1/p2p/${id}`)).toMatchObject({
      text: `/ip6/2a00:0:1::5/tcp/1/p2p/${id}`,
      group: '2a00:0',
      routable: true,
    });
    for (const wrong of [
      `/ip4/20.1.2.256/tcp/1/p2p/${id}`,
      `/ip4/020.1.2.3/tcp/1/p2p/${id}`,
      `/ip4/20.1.2.3/tcp/0/p2p/${id}`,
      `/ip4/20.1.2.3/tcp/65536/p2p/${id}`,
      `/dns4/example.org/tcp/1/p2p/${id}`,
      `/ip4/20.1.2.3/tcp/1`,
      `/ip4/20.1.2.3/tcp/1/p2p/${id}/p2p-circuit/p2p/${id}`,
      `/ip4/20.1.2.3/tcp/1/p2p/${id.slice(0, -1)}`,
      `/ip4/20.1.2.3/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N`,
    ])
      expect(parseAddress(wrong), wrong).toBeUndefined();
  });

  test.each([
    '127.0.0.1',
    '10.1.1.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.1.1',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    'fe80::1',
    'fd00::1',
    '::ffff:8.8.8.8',
    '2001:db8::1',
  ])('%s means nothing on another machine: a strict book refuses it', (host) => {
    const source = { peerId: strangerId(2), group: '1.1' };
    expect(openBook().book.add(at(host, 1), source)).toBe('refused');
    expect(openBook({ strict: false }).book.add(at(host, 1), source)).toBe('added');
  });

  test('any text is an address or is not; its spelling is stable', () => {
    const text = fc.oneof(
      fc.string(),
      fc.tuple(fc.ipV4(), fc.nat(70_000)).map(([ip, port]) => `/ip4/${ip}/tcp/${port}/p2p/${ME}`),
      fc.ipV6().map((ip) => `/ip6/${ip}/tcp/1/p2p/${ME}`),
    );
    fc.assert(
      fc.property(text, (any) => {
        const address = parseAddress(any);
        if (address !== undefined) expect(parseAddress(address.text)).toEqual(address);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the book', () => {
  test('no crowd of sources of one network fills it, whatever it tells; others still get in', () => {
    const { book } = openBook();
    for (let n = 0; n < 500; n++) book.add(far(n), { peerId: strangerId(n % 20), group: '6.6' });
    expect(book.size).toBe(LIMITS.newPerSourceGroupMax);
    const one = openBook().book;
    for (let n = 0; n < 500; n++) one.add(far(n), { peerId: strangerId(1), group: '6.6' });
    expect(one.size).toBe(LIMITS.newPerSourceMax);
    for (let group = 0; group < 8; group++)
      for (let n = 0; n < 100; n++)
        book.add(far(1_000 + 100 * group + n), { peerId: strangerId(n), group: `7.${group}` });
    expect(book.size).toBe(LIMITS.newMax);
    expect(book.add(far(9_999), { peerId: strangerId(9), group: '8.8' })).toBe('added');
    expect(book.size).toBe(LIMITS.newMax);
  });

  test('addresses of one network do not fill it', () => {
    const { book } = openBook();
    for (let n = 0; n < 100; n++) book.add(at(`20.1.1.${n}`, n), { peerId: strangerId(n), group: `${n}.1` });
    expect(book.size).toBe(LIMITS.perGroupMax);
  });

  test('who tells of a whole network that it is full does not keep others from telling of it', () => {
    const { book } = openBook({ limits: { ...LIMITS, newPerSourceMax: 50, newPerSourceGroupMax: 50 } });
    for (let n = 1; n < 50; n++) book.add(at(`20.1.1.${n}`, n), { peerId: strangerId(1), group: '6.6' });
    const told = [100, 101, 102].map((n) => at(`20.1.2.${n}`, n));
    for (const address of told)
      expect(book.add(address, { peerId: strangerId(2), group: '7.7' })).toBe('added');
    expect(told.every((address) => book.has(address))).toBe(true);
    expect(book.size).toBe(LIMITS.perGroupMax);
    expect(book.add(at('20.1.1.60', 60), { peerId: strangerId(1), group: '6.6' })).toBe('refused');
  });

  test('what one tells in plenty is not dialled before what another tells', () => {
    const timers = new VirtualTimers();
    let turn = 0;
    const random = (): number => (turn++ * 0.37) % 1;
    const limits = { ...LIMITS, newMax: 1_000, newPerSourceMax: 200, newPerSourceGroupMax: 200 };
    const book = new AddressBook({ timers, random }, { nodeId: ME, strict: true, limits });
    for (let n = 1; n <= 200; n++) book.add(far(n), { peerId: strangerId(1), group: '6.6' });
    const one = far(201);
    book.add(one, { peerId: strangerId(2), group: '7.7' });
    const picks = Array.from({ length: 20 }, () => book.pick(() => true)?.text);
    expect(picks.filter((text) => text === one.text).length).toBeGreaterThan(4);
  });

  test('holds its limits under any sequence', () => {
    const step = fc.record({
      what: fc.constantFrom('add', 'good', 'failed', 'vouch', 'forget'),
      n: fc.nat(400),
      source: fc.nat(30),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { book } = openBook({ limits: { ...LIMITS, triedMax: 12 } });
        for (const { what, n, source } of steps) {
          const from = { peerId: strangerId(source), group: `9.${source % 7}` };
          if (what === 'add') book.add(far(n), from);
          else if (what === 'vouch') book.vouch(far(n), from);
          else if (what === 'good') book.good(far(n));
          else if (what === 'failed') book.failed(far(n));
          else book.forget(strangerId(n));
          expect(book.size - book.triedSize).toBeLessThanOrEqual(LIMITS.newMax);
          expect(book.triedSize).toBeLessThanOrEqual(12);
        }
        const again = openBook({ limits: { ...LIMITS, triedMax: 12 } }).book;
        again.restore(JSON.parse(JSON.stringify(book.save())));
        expect(again.triedSize).toBe(book.triedSize);
      }),
      { numRuns: 60 },
    );
  });

  test('tells only of peers that were met, and of none whose last dial failed', () => {
    const { book } = openBook();
    book.add(far(1), { peerId: strangerId(2), group: '1.1' });
    expect(book.share(10, () => true)).toEqual([]);
    book.good(far(1));
    expect(book.share(10, () => true)).toEqual([far(1)]);
    book.failed(far(1));
    expect(book.share(10, () => true)).toEqual([]);
  });

  test('a peer that was met is no longer looked for where others said; it is never this node', () => {
    const { book } = openBook();
    const lie = at('30.1.1.1', 1);
    book.add(lie, { peerId: strangerId(2), group: '1.1' });
    book.good(at('20.1.1.1', 1));
    expect(book.has(lie)).toBe(false);
    expect(book.add(at('20.1.1.1', 0), { peerId: strangerId(2), group: '1.1' })).toBe('refused');
  });

  test('what fails is dialled later and later, then forgotten', async () => {
    const { book, timers } = openBook();
    book.add(far(1), { peerId: strangerId(2), group: '1.1' });
    for (let failures = 1; failures < LIMITS.newFailuresMax; failures++) {
      expect(book.pick(() => true)).toEqual(far(1));
      book.failed(far(1));
      expect(book.pick(() => true)).toBeUndefined();
      await timers.advance(LIMITS.backoffMinMs * 2 ** failures);
    }
    book.failed(far(1));
    expect(book.size).toBe(0);
  });

  test('a file with anything in it is read without harm', () => {
    fc.assert(
      fc.property(fc.array(fc.anything(), { maxLength: 20 }), (items) => {
        expect(openBook().book.restore(items)).toBe(0);
      }),
    );
  });
});

describe('messages', () => {
  test('travel', () => {
    expect(decodeAddressesRequest(encodeAddressesRequest(7))).toBe(7);
    const two = [far(1), far(2)];
    expect(decodeAddressesResponse(encodeAddressesResponse(two), 2)).toEqual(two);
  });

  test('an answer of more than was wanted, of one twice, or of nonsense is refused; so is a question for too many', () => {
    const two = encodeAddressesResponse([far(1), far(2)]);
    expect(() => decodeAddressesResponse(two, 1)).toThrow(DecodeError);
    expect(() => decodeAddressesResponse(encodeAddressesResponse([far(1), far(1)]), 9)).toThrow(DecodeError);
    expect(() =>
      decodeAddressesResponse(encodeAddressesResponse([{ ...far(1), text: '/ip4/x' }]), 9),
    ).toThrow(DecodeError);
    expect(() => decodeAddressesRequest(encodeAddressesRequest(ADDRESSES_MAX + 1))).toThrow(DecodeError);
    expect(() => decodeAddressesRequest(encodeAddressesRequest(0))).toThrow(DecodeError);
    expect(() => decodeAddressesRequest(two)).toThrow(DecodeError);
  });

  test('any bytes decode or are refused with a DecodeError', () => {
    const valid = encodeAddressesResponse([far(1), far(2), far(3)]);
    const mutated = fc
      .tuple(fc.nat(valid.length - 1), fc.nat(255), fc.nat(valid.length))
      .map(([at_, byte, end]) => {
        const bytes = Uint8Array.from(valid);
        bytes[at_] = byte;
        return bytes.subarray(0, end);
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), mutated), (bytes) => {
        for (const decode of [
          () => decodeAddressesResponse(bytes, 100).length,
          () => decodeAddressesRequest(bytes),
        ])
          try {
            expect(decode()).toBeLessThanOrEqual(ADDRESSES_MAX);
          } catch (error) {
            if (!(error instanceof DecodeError)) throw error;
          }
      }),
      { numRuns: 5_000 },
    );
  });
});
