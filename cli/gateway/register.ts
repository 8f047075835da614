/** `openledgerd gateway register`: makes an account a gateway, or moves where it is reached. */
import type { Command } from 'commander';
import type { EncodeObject } from '@cosmjs/proto-signing';
import { equalBytes } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import type { Gateway } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { type NodeOptions, withNodeOptions } from '../attest/account.ts';
import { usageError } from '../failure.ts';
import type { Terminal } from '../terminal.ts';

interface RegisterOptions extends NodeOptions {
  readonly endpoint: string;
}

/** As the chain wants it: modules/settlement/gateways.ts. */
const ENDPOINT = /^https?:\/\/[!-~]+$/;

/** Adds the command to the group `gateway`. */
export function addRegisterCommand(gateway: Command, terminal: Terminal): void {
  withNodeOptions(
    gateway
      .command('register')
      .description('make the account a gateway, with a receipt key in its home, or move its endpoint'),
  )
    .requiredOption('--endpoint <url>', 'where everybody reaches it, such as https://gateway.example')
    .action((options: RegisterOptions) => register(options, terminal));
}

async function register(options: RegisterOptions, terminal: Terminal): Promise<void> {
  const { endpoint } = options;
  if (!ENDPOINT.test(endpoint))
    throw usageError(`--endpoint must begin with http:// or https://, not "${endpoint}"`);
  const { foundOrNone, registerGateway, updateGateway } = await import('../../client/index.ts');
  const { MsgRegisterGateway, MsgUpdateGateway } = await import(
    '../../proto/gen/openledger/settlement/v1/tx.ts'
  );
  const { accountOf, connectTo } = await import('../attest/account.ts');
  const { makeReceiptKey, readReceiptKey } = await import('./receipt-key.ts');
  const connection = await connectTo(options);
  try {
    const account = await accountOf(options, connection, terminal);
    const { address } = account;
    const found = await foundOrNone(connection.queries.openledger.settlement.gateway({ address }));
    let message: EncodeObject;
    if (found === undefined) {
      const { publicKey: receiptKey } = await makeReceiptKey(options.home);
      message = registerGateway(MsgRegisterGateway.create({ gateway: address, receiptKey, endpoint }));
    } else {
      requireOwnKey(found.gateway, (await readReceiptKey(options.home))?.publicKey);
      message = updateGateway(MsgUpdateGateway.create({ gateway: address, endpoint }));
    }
    await account.send([message]);
    terminal.out(`${address} is a gateway at ${endpoint}\n`);
  } finally {
    connection.comet.disconnect();
  }
}

/** @throws LedgerError `gateway.key` when the home has another key than the chain, or none */
export function requireOwnKey({ address, receiptKey }: Gateway, own: Uint8Array | undefined): void {
  if (own !== undefined && equalBytes(own, receiptKey)) return;
  const what = own === undefined ? 'there is none in this home' : 'the one in this home is another';
  throw new LedgerError(
    'gateway.key',
    `${address} is registered with a receipt key for good, and ${what}; ` +
      'name its home with --home, or register another account',
  );
}
