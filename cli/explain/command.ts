/** `openledgerd explain`: why somebody was paid what they were. */
import type { Command } from 'commander';
import { DEFAULT_RPC_URL } from '../defaults.ts';
import { usageError } from '../failure.ts';
import { rpcUrl } from '../status.ts';
import type { Terminal } from '../terminal.ts';

/** What is to be explained. */
export type Subject =
  | { readonly kind: 'tx'; readonly hash: string }
  | { readonly kind: 'receipt'; readonly id: bigint }
  | {
      readonly kind: 'slot';
      readonly pool: string;
      readonly slot: bigint;
      readonly height: bigint | undefined;
    }
  | { readonly kind: 'account'; readonly address: string; readonly since: bigint };

/** What the command is told. */
export interface ExplainSettings {
  readonly subject: Subject;
  readonly node: string;
  readonly gateway: string | undefined;
  /** Receipts behind each row of an epoch. */
  readonly receiptsMax: number;
  readonly json: boolean;
  /** File for the bundle. */
  readonly proofs: string | undefined;
}

interface ExplainOptions {
  readonly node?: string;
  readonly gateway?: string;
  readonly since?: string;
  readonly receipts: string;
  readonly json?: boolean;
  readonly proofs?: string;
}

const RECEIPTS_MAX = 4_096;

/** Adds the command. */
export function addExplainCommand(program: Command, terminal: Terminal): void {
  program
    .command('explain')
    .description(
      'say why somebody was paid: claims, credits, receipts, splits, attributions, the spans quoted',
    )
    .argument(
      '<what>',
      'a transaction hash, a receipt id, a slot (datanet/1/0, model/1/0@HEIGHT) or an address',
    )
    .option('--node <url>', `RPC of the node (default: ${DEFAULT_RPC_URL})`)
    .option('--gateway <url>', 'where the gateway serves its epochs, for the receipts behind them')
    .option('--since <height>', 'with an address: what it was paid from this block on')
    .option('--receipts <count>', 'receipts to show of each row of an epoch', '100')
    .option('--json', 'one JSON object')
    .option('--proofs <file>', 'write everything that client/verifier needs to check it from a block hash')
    .action(async (what: string, options: ExplainOptions) => {
      const settings = explainSettings(what, options);
      const { runExplain } = await import('./run.ts');
      await runExplain(settings, terminal);
    });
}

/** @throws LedgerError `cli.usage` naming what is wrong */
export function explainSettings(what: string, options: ExplainOptions): ExplainSettings {
  const { node = DEFAULT_RPC_URL, gateway, since, receipts, json, proofs } = options;
  const subject = subjectOf(what, since);
  if (subject.kind === 'account' && proofs !== undefined)
    throw usageError('--proofs goes with one payout: explain each transaction of the account');
  if (!/^[1-9]\d{0,3}$/.test(receipts) || Number(receipts) > RECEIPTS_MAX)
    throw usageError(`--receipts must be a whole number from 1 to ${RECEIPTS_MAX}`);
  return {
    subject,
    node: rpcUrl(node),
    gateway: gateway === undefined ? undefined : rpcUrl(gateway),
    receiptsMax: Number(receipts),
    json: json === true,
    proofs,
  };
}

function subjectOf(what: string, since: string | undefined): Subject {
  if (/^[a-z][a-z0-9]*1[02-9ac-hj-np-z]{38,}$/.test(what)) {
    if (since === undefined || !/^[1-9]\d{0,17}$/.test(since))
      throw usageError('an address needs --since with the height of the first block to look at');
    return { kind: 'account', address: what, since: BigInt(since) };
  }
  if (since !== undefined) throw usageError('--since goes with an address');
  if (/^[0-9a-fA-F]{64}$/.test(what)) return { kind: 'tx', hash: what.toUpperCase() };
  if (/^[1-9]\d{0,18}$/.test(what)) return { kind: 'receipt', id: BigInt(what) };
  const [, pool, slot, height] =
    /^((?:datanet|model)\/\d{1,19})\/(\d{1,10})(?:@([1-9]\d{0,17}))?$/.exec(what) ?? [];
  if (pool === undefined || slot === undefined)
    throw usageError(
      `"${what}" is neither a transaction hash, a receipt id, a slot such as datanet/1/0 nor an address`,
    );
  return {
    kind: 'slot',
    pool,
    slot: BigInt(slot),
    height: height === undefined ? undefined : BigInt(height),
  };
}
