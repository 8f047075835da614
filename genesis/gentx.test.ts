import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { composeModules } from '../app/modules.ts';
import { fromHex, toHex } from '../core/bytes.ts';
import { JsonReader, parseJson } from '../framework/json.ts';
import { genTxFromJson } from '../modules/genutil/gentx.ts';
import { secp256k1Signer } from '../node/crypto/secp256k1.ts';
import { signGenTx } from './gentx.ts';

const file = new URL('../test/vectors/genutil/gentxs.json', import.meta.url);
const vectors = new JsonReader(parseJson(readFileSync(file, 'utf8')), 'gentxs').elements();
const { router, addresses } = composeModules('cosmos');
const DESCRIPTIONS = [
  { moniker: 'alpha' },
  {
    moniker: 'béta',
    identity: 'id',
    website: 'https://b.example',
    securityContact: 'sec@b.example',
    details: 'all <b> & "more"',
  },
];

describe('a genesis transaction', () => {
  it.each(DESCRIPTIONS.map((description, i) => ({ description, vector: vectors[i] ?? vectors[0] })))(
    'is the one that the SDK makes of the same keys: $description.moniker',
    ({ description, vector }) => {
      const order = {
        chainId: vector?.member('chain_id').text() ?? '',
        prefix: 'cosmos',
        consensusKey: { type: 'ed25519', bytes: fromHex(vector?.member('consensus_key').text() ?? '') },
        amount: { denom: 'stake', amount: 100_000_000n },
        description,
        memo: '528fd3df22b31f4969b05652bfe8f0fe921321d5@192.168.2.37:26656',
      } as const;
      const signer = secp256k1Signer(fromHex(vector?.member('private_key').text() ?? ''));
      expect(signGenTx(order, signer, router.types)).toEqual(vector?.member('gentx').value);
    },
  );

  it.each(vectors)('of the SDK is read as the bytes that the SDK delivers', (vector) => {
    const { tx, message } = genTxFromJson(vector.member('gentx'), { router, addresses });
    expect(toHex(tx.bytes)).toBe(vector.member('bytes').text());
    expect(message.value).toEqual({ denom: 'stake', amount: '100000000' });
  });
});
