/** Whatever bytes come from outside: an answer with a code, never an exception, and the state stays as it is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../core/bytes.ts';
import { TxBody, TxRaw } from '../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { TestChain } from '../test/support/test-chain.ts';

const chain = new TestChain();
chain.block();

function appHash(): string {
  return toHex(
    chain.app.info({ version: '', blockVersion: 0n, p2pVersion: 0n, abciVersion: '' }).lastBlockAppHash,
  );
}

describe('hostile bytes', () => {
  it('to every query are answered', () => {
    const paths = [
      ...chain.app.queries.routes.map(({ path }) => path),
      '/store/bank/key',
      '/app/simulate',
      '/app/version',
      '/',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...paths),
        fc.uint8Array({ maxLength: 64 }),
        fc.bigInt({ min: -2n, max: 3n }),
        fc.boolean(),
        (path, data, height, prove) => {
          const answer = chain.rawQuery(path, data, height, prove);
          expect(answer.code === 0 || answer.log.length > 0).toBe(true);
          expect(answer.height).not.toBe(0n);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('as a path of a query are answered', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (path) => {
        expect(chain.rawQuery(path, new Uint8Array(0)).code).not.toBe(0);
      }),
    );
  });

  it('as a transaction, or in place of a part of one, are refused', () => {
    const good = chain.send(chain.account(0), chain.account(1).address, '1uopen');
    const { authInfoBytes, signatures, bodyBytes } = TxRaw.decode(good);
    const body = TxBody.decode(bodyBytes);
    const bytes = fc.uint8Array({ maxLength: 80 });
    const before = appHash();
    fc.assert(
      fc.property(bytes, (junk) => {
        const [message] = body.messages;
        const { typeUrl = '' } = message ?? {};
        const variants = [
          junk,
          TxRaw.encode({ bodyBytes: junk, authInfoBytes, signatures }),
          TxRaw.encode({ bodyBytes, authInfoBytes: junk, signatures }),
          TxRaw.encode({ bodyBytes, authInfoBytes, signatures: [junk] }),
          TxRaw.encode({
            bodyBytes: TxBody.encode({ ...body, messages: [{ typeUrl, value: junk }] }),
            authInfoBytes,
            signatures,
          }),
        ];
        for (const tx of variants) {
          expect(chain.check(tx).code).not.toBe(0);
          chain.app.signatureTasks(tx);
        }
      }),
    );
    expect(appHash()).toBe(before);
    expect(chain.check(good).log).toBe('');
  });

  it('in a block become results of their own, the same on every node', () => {
    const twin = new TestChain();
    twin.block();
    const own = new TestChain();
    own.block();
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), (txs) => {
        const [a, b] = [own.block(...txs), twin.block(...txs)];
        expect(a.txResults).toHaveLength(txs.length);
        expect(a.txResults.every(({ code }) => code !== 0)).toBe(true);
        expect(toHex(a.appHash)).toBe(toHex(b.appHash));
      }),
      { numRuns: 30 },
    );
  });
});
