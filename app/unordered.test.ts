/** Transactions whose order does not matter: each signer's timeout makes them unique, until it has passed. */
import { describe, expect, it } from 'vitest';
import { fromUtf8 } from '../core/bytes.ts';
import { sha256 } from '../core/hash.ts';
import { aminoSignBytes } from '../framework/tx/amino-json.ts';
import { decodeTx } from '../framework/tx/decode.ts';
import { sendMessage, type SignOptions, TestChain } from '../test/support/test-chain.ts';

/** Time of the block after genesis, in seconds. */
const FIRST = 1_700_000_001n;
const AT = { seconds: FIRST + 30n, nanos: 0 };

const unordered = (nanos: number, change: Partial<SignOptions> = {}): SignOptions => ({
  unordered: true,
  sequence: 0n,
  timeoutTimestamp: { ...AT, nanos },
  ...change,
});

describe('an unordered transaction', () => {
  it('needs no sequence: many of one signer, in any order, beside ordered ones', () => {
    const chain = new TestChain();
    const [from, to] = [chain.account(0), chain.account(1).address];
    const send = (nanos: number): Uint8Array => chain.send(from, to, '1uopen', unordered(nanos));
    const [a, b, c] = [send(1), send(2), send(3)] as const;
    const ordered = chain.send(from, to, '1uopen');
    for (const tx of [c, a, ordered]) expect(chain.check(tx)).toMatchObject({ code: 0, log: '' });
    const { txResults } = chain.block(c, ordered, a);
    expect(txResults.map(({ log }) => log)).toEqual(['', '', '']);
    expect(chain.sequence(from)).toBe(1n);
    // Its signer's sequence is another now, and so is the time: it is still good, once.
    expect(chain.deliver(b)).toMatchObject({ code: 0, log: '' });
    expect(chain.sequence(from)).toBe(1n);
    expect(chain.balance(to)).toBe(1_000_000_000n + 4n);
    const events = chain.deliver(send(4)).events.flatMap(({ attributes }) => attributes);
    expect(events.map(({ key }) => key)).not.toContain('acc_seq');
  });

  it('is executed once, whether it is remembered or has passed', () => {
    const chain = new TestChain();
    const [from, to] = [chain.account(0), chain.account(1).address];
    const tx = chain.send(from, to, '1uopen', unordered(0));
    expect(chain.check(tx).code).toBe(0);
    expect(chain.check(tx)).toMatchObject({ code: 18, log: /has already used timeout 1700000031000000000/ });
    expect(chain.block(tx, tx).txResults.map(({ code }) => code)).toEqual([0, 18]);
    expect(chain.recheck(tx).code).toBe(18);
    const other = chain.send(from, to, '2uopen', unordered(0));
    expect(chain.deliver(other).code).toBe(18);
    for (let height = chain.height; height < 30n; height++) expect(chain.deliver(tx).code).toBe(18);
    // The block at the very moment of the timeout still remembers; the next one refuses it by its time.
    expect(chain.deliver(tx)).toMatchObject({ code: 18, log: /already used/ });
    expect(chain.deliver(tx)).toMatchObject({ code: 42, log: /timeout timestamp: 2023-11-14T22:13:51Z/ });
    expect(chain.balance(to)).toBe(1_000_000_001n);
  });

  it('uses the timeout of each of its signers up', () => {
    const chain = new TestChain();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const messages = [alice, bob].map(({ address }) =>
      sendMessage(address, chain.account(2).address, '1uopen'),
    );
    expect(chain.deliver(chain.sign(alice, messages, unordered(0, { also: [bob] }))).log).toBe('');
    const again = (from: typeof alice, nanos: number): number =>
      chain.deliver(chain.send(from, chain.account(2).address, '1uopen', unordered(nanos))).code;
    expect([again(alice, 0), again(bob, 0), again(bob, 1)]).toEqual([18, 18, 0]);
  });

  it('is forgotten when its time has passed', () => {
    const chain = new TestChain();
    const from = chain.account(0);
    const { auth } = chain.app.composition;
    chain.deliver(chain.send(from, chain.account(1).address, '1uopen', unordered(0)));
    const remembered = (): number => {
      const context = chain.app.contextAt(chain.app.height);
      return auth.rememberedTimeouts(context);
    };
    expect(remembered()).toBe(1);
    while (chain.height < 31n) chain.block();
    expect(remembered()).toBe(1);
    chain.block();
    expect(remembered()).toBe(0);
  });

  it('is bound to its timeout by its signature, and costs what SDK v0.53 charges beside the entry', () => {
    const chain = new TestChain();
    const [from, to] = [chain.account(0), chain.account(1).address];
    chain.deliver(chain.send(from, to, '1uopen'));
    const ordered = chain.deliver(chain.send(from, to, '1uopen', { timeoutTimestamp: AT })).gasUsed;
    const free = chain.deliver(chain.send(from, to, '1uopen', unordered(0))).gasUsed;
    // 2240; looking for the entry 1000, writing it 2000 + 30 for each of 1 + 8 + 20 bytes; the account is not
    // written (2000 + 30 for each byte and more), and the transaction has no sequence but a flag.
    expect(free - ordered).toBeGreaterThan(2240n + 1000n + 2000n + 870n - 8000n);
    expect(free).toBeLessThan(ordered + 6200n);
  });

  it.each<[string, Partial<SignOptions>, number, string]>([
    ['no timeout', { timeoutTimestamp: { seconds: 0n, nanos: 5 } }, 18, 'must have timeout_timestamp set'],
    ['a timeout that has passed', { timeoutTimestamp: { seconds: FIRST - 2n, nanos: 0 } }, 42, 'tx timeout'],
    [
      'a timeout that is too far',
      { timeoutTimestamp: { seconds: FIRST + 600n, nanos: 1 } },
      18,
      'unordered tx ttl exceeds 10m0s',
    ],
    ['a sequence', { sequence: 1n }, 18, 'sequence is not allowed for unordered transactions'],
    ['a wrong signature', { chainId: 'another' }, 4, 'signature verification failed'],
    ['a time that is none', { timeoutTimestamp: { seconds: 1n << 60n, nanos: 0 } }, 2, 'timeout_timestamp'],
  ])('is refused with %s', (_, change, code, log) => {
    const chain = new TestChain();
    const to = chain.account(1).address;
    const result = chain.deliver(chain.send(chain.account(0), to, '1uopen', unordered(0, change)));
    expect(result.code).toBe(code);
    expect(chain.check(chain.send(chain.account(0), to, '1uopen', unordered(0, change))).log).toContain(log);
  });

  it('may be wanted for ten minutes', () => {
    const chain = new TestChain();
    const options = unordered(0, { timeoutTimestamp: { seconds: FIRST + 600n, nanos: 0 } });
    expect(chain.deliver(chain.send(chain.account(0), chain.account(1).address, '1uopen', options)).log).toBe(
      '',
    );
  });

  it('is shown in JSON as x/tx v0.14 shows it', () => {
    const chain = new TestChain();
    const { router, addresses } = chain.app.composition;
    const bytes = chain.send(chain.account(0), chain.account(1).address, '1uopen', unordered(5));
    const data = { chainId: 'c', accountNumber: 1n, sequence: 0n };
    const document = fromUtf8(aminoSignBytes(decodeTx(bytes, sha256(bytes), { router, addresses }), data));
    expect(document).toContain(
      '"sequence":"0","timeout_timestamp":"2023-11-14T22:13:51.000000005Z","unordered":true}',
    );
  });

  it('is simulated as often as one likes', () => {
    const chain = new TestChain();
    const tx = chain.send(chain.account(0), chain.account(1).address, '1uopen', unordered(0));
    expect([1, 2].map(() => chain.app.simulate(tx).error)).toEqual([undefined, undefined]);
    expect(chain.check(tx).code).toBe(0);
  });

  it('waits for nobody in the mempool and in proposals', () => {
    const chain = new TestChain();
    const [from, to] = [chain.account(0), chain.account(1).address];
    const tx = chain.send(from, to, '1uopen', unordered(1));
    const keys = chain.check(tx).events.flatMap(({ attributes }) => attributes.map(({ key }) => key));
    expect(keys).toEqual(['fee']);
    const large = chain.send(from, to, '1uopen', { memo: 'x'.repeat(250) });
    const maxTxBytes = BigInt(tx.length + 5);
    const { txs } = chain.app.prepareProposal({
      ...{ txs: [large, tx], maxTxBytes, height: 1n, time: AT, misbehavior: [] },
      localLastCommit: { round: 0, votes: [] },
      nextValidatorsHash: new Uint8Array(32),
      proposerAddress: new Uint8Array(20),
    });
    expect(txs).toEqual([tx]);
  });
});

describe('a timeout of an ordered transaction', () => {
  it('ends its life', () => {
    const chain = new TestChain();
    const to = chain.account(1).address;
    const options = { timeoutTimestamp: { seconds: FIRST, nanos: 0 } };
    const [now, late] = [0, 1].map(() => chain.send(chain.account(0), to, '1uopen', options));
    expect(chain.deliver(now ?? new Uint8Array())).toMatchObject({ code: 0, log: '' });
    expect(chain.deliver(late ?? new Uint8Array())).toMatchObject({ code: 42 });
  });
});
