/** A genesis that the SDK's own commands have made starts here, with its validator's key: test/vectors/simapp. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DirectSecp256k1HdWallet } from '@cosmjs/proto-signing';
import {
  calculateFee,
  GasPrice,
  QueryClient,
  setupBankExtension,
  setupGovExtension,
  setupMintExtension,
  setupStakingExtension,
  SigningStargateClient,
} from '@cosmjs/stargate';
import { connectComet } from '@cosmjs/tendermint-rpc';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { initHome, runHome } from '../support/home-node.ts';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../vectors/simapp/${name}`, import.meta.url));
const ALICE = 'zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong';
const VESTER = 'cosmos1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5lzv7xu';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'openledgerd-simapp-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

it('a simapp chain starts, bonds the validator of its genesis transaction and takes transactions', async () => {
  await initHome(home, { genesis: fixture('genesis.json') });
  copyFileSync(fixture('priv_validator_key.json'), join(home, 'config', 'priv_validator_key.json'));
  const node = await runHome(home, 3n, {});
  try {
    await node.reached;
    const { body } = JSON.parse(readFileSync(fixture('genesis.json'), 'utf8')).app_state.genutil.gen_txs[0];
    const comet = await connectComet(node.rpc);
    const query = QueryClient.withExtensions(
      comet,
      setupBankExtension,
      setupGovExtension,
      setupMintExtension,
      setupStakingExtension,
    );
    const { validators } = await query.staking.validators('BOND_STATUS_BONDED');
    expect(validators).toMatchObject([
      {
        operatorAddress: body.messages[0].validator_address,
        description: { moniker: 'fixture' },
        tokens: '60000000',
      },
    ]);
    expect((await query.staking.params()).params?.bondDenom).toBe('ustake');
    expect((await query.mint.params()).mintDenom).toBe('ustake');
    expect((await query.gov.params('deposit')).depositParams?.minDeposit).toMatchObject([
      { denom: 'ustake' },
    ]);
    expect((await query.bank.balance(VESTER, 'ucosm')).amount).toBe('1000000');

    const wallet = await DirectSecp256k1HdWallet.fromMnemonic(ALICE, { prefix: 'cosmos' });
    const [alice] = await wallet.getAccounts();
    const client = await SigningStargateClient.createWithSigner(comet, wallet, {
      broadcastPollIntervalMs: 50,
    });
    const fee = calculateFee(200_000, GasPrice.fromString('0.025ucosm'));
    const sent = await client.sendTokens(
      alice?.address ?? '',
      VESTER,
      [{ denom: 'ucosm', amount: '77' }],
      fee,
    );
    expect(sent).toMatchObject({ code: 0, rawLog: '' });
    expect((await query.bank.balance(VESTER, 'ucosm')).amount).toBe('1000077');
  } finally {
    await node.stop();
  }
}, 30_000);
