import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../core/bytes.ts';
import { Tx, TxRaw } from '../proto/gen/cosmos/tx/v1beta1/tx.ts';
import * as wire from '../proto/gen/cosmos/tx/v1beta1/service.ts';
import { TestChain } from '../test/support/test-chain.ts';

const SERVICE = '/cosmos.tx.v1beta1.Service/';
const DECODE = { request: wire.TxDecodeRequest, response: wire.TxDecodeResponse };
const ENCODE = { request: wire.TxEncodeRequest, response: wire.TxEncodeResponse };

const chain = new TestChain();
chain.block();
const bytes = chain.send(chain.account(0), chain.account(1).address, '7uopen', { memo: 'rent' });

describe('the service of transactions', () => {
  it('decodes and encodes one', () => {
    const { tx } = chain.query(`${SERVICE}TxDecode`, DECODE, { txBytes: bytes });
    expect(tx).toEqual(Tx.decode(bytes));
    expect(tx?.body?.memo).toBe('rent');
    const { txBytes } = chain.query(`${SERVICE}TxEncode`, ENCODE, { tx });
    expect(toHex(txBytes)).toBe(toHex(bytes));
  });

  it('refuses what is none, with the words and codes of the SDK', () => {
    const refusal = (method: string, data: Uint8Array): readonly unknown[] => {
      const { code, codespace, log } = chain.rawQuery(SERVICE + method, data);
      return [codespace, code, log];
    };
    const invalid = (text: string): readonly unknown[] => [
      'sdk',
      18,
      `rpc error: code = InvalidArgument desc = ${text}: invalid request`,
    ];
    expect(refusal('TxDecode', new Uint8Array())).toEqual(invalid('invalid empty tx bytes'));
    expect(refusal('TxEncode', new Uint8Array())).toEqual(invalid('invalid empty tx'));
    const unknown = [
      'sdk',
      6,
      expect.stringMatching(/^rpc error: code = Unknown desc = .*: tx parse error: unknown request$/),
    ];
    const raw = TxRaw.decode(bytes);
    const foreign = Tx.create({
      body: {
        ...(Tx.decode(bytes).body ?? expect.fail()),
        messages: [{ typeUrl: '/some.Msg', value: utf8('x') }],
      },
    });
    const wrong = [
      utf8('junk'),
      TxRaw.encode({ ...raw, bodyBytes: utf8('junk') }),
      Uint8Array.of(...bytes, 0x20, 1),
      Tx.encode(foreign),
    ];
    for (const txBytes of wrong)
      expect(refusal('TxDecode', wire.TxDecodeRequest.encode({ txBytes }))).toEqual(unknown);
  });
});
