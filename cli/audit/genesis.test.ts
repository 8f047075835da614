/** What is there before the first block: genesis transactions, and chains that do not begin with block 1. */
import { expect, test } from 'vitest';
import { toUpperHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { composeModules } from '../../app/modules.ts';
import { buildGenesis } from '../../genesis/build.ts';
import { encodeGenesis } from '../../genesis/encode.ts';
import { signGenTx } from '../../genesis/gentx.ts';
import { DEFAULT_PARAMS, paramsToJson } from '../../modules/staking/params.ts';
import { SignedChain, validatorSigner } from '../../test/support/signed-chain.ts';
import { signSecp256k1, testAccount } from '../../test/support/test-chain.ts';
import { checkGenesis } from '../home/genesis-file.ts';
import { auditScene, memorySource, sceneGenesis, SIGNERS } from './testing.ts';

const STAKES = [3_000_000n, 4_000_000n];

test('what genesis transactions move is in the books before the first block', async () => {
  const { types } = composeModules('open').router;
  const accounts = STAKES.map((_, i) => testAccount(`${i}`));
  const genTxs = STAKES.map((amount, i) => {
    const { privateKey, pubKey } = testAccount(`${i}`);
    return signGenTx(
      {
        chainId: 'test-chain-1',
        prefix: 'open',
        consensusKey: { type: 'ed25519', bytes: validatorSigner(i).publicKey },
        amount: { denom: 'uopen', amount },
        description: { moniker: `validator ${i}` },
      },
      { publicKey: pubKey.bytes, sign: (message) => signSecp256k1(sha256(message), privateKey) },
      types,
    );
  });
  const document = buildGenesis({
    chainId: 'test-chain-1',
    genesisTime: { seconds: 1_700_000_000n, nanos: 0 },
    accounts: accounts.map(({ address }) => ({ address, coins: [{ denom: 'uopen', amount: 10_000_000n }] })),
    validators: [],
    sections: {
      staking: { params: paramsToJson({ ...DEFAULT_PARAMS, bondDenom: 'uopen' }) },
      genutil: { gen_txs: genTxs },
    },
  });
  const chain = new SignedChain({ document, signers: SIGNERS });
  chain.add();
  chain.add();
  const genesis = checkGenesis(encodeGenesis(document));
  const report = await auditScene(memorySource(chain), {}, { genesis });
  const opening = (row: string): bigint | undefined =>
    report.rows.find((each) => each.row === row && each.denom === 'uopen')?.opening;
  expect([opening('bonded_tokens_pool'), opening('accounts')]).toEqual([7_000_000n, 13_000_000n]);
  expect(report.appHash).toBe(toUpperHex(chain.state.appHash));
});

test('a chain that begins at a later height is audited from there', async () => {
  const document = { ...sceneGenesis(), initialHeight: 100n };
  const chain = new SignedChain({ document, signers: SIGNERS });
  for (let i = 0; i < 3; i++) chain.add();
  const genesis = checkGenesis(encodeGenesis(document));
  const report = await auditScene(memorySource(chain), { from: 100n }, { genesis });
  expect([report.from, report.to, report.blocks]).toEqual([100n, 102n, 3n]);
  const early = auditScene(memorySource(chain), { from: 99n }, { genesis });
  await expect(early).rejects.toThrow('the replay begins with block 100');
});
