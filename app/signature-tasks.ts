/**
 * The signatures that a node has threads verify before the application asks for them. Whatever is not found
 * here is verified where it is met, and what is found in vain changes no result.
 *
 * Nobody gets statements (vouchers) verified that nobody pays for: those of a transaction are looked at when
 * everything before it in its block was executed, or only claims to come are left before it, and when it is
 * signed and pays its fee on that state; and they are charged against the transaction's own gas limit.
 */
import { QueryContext, type ReadContext } from '../framework/context.ts';
import { GasMeter } from '../framework/gas.ts';
import type { DecodedTx, TxSigner } from '../framework/tx/decode.ts';
import { signatureTasks } from '../framework/tx/multisig.ts';
import { keyCountOf } from '../framework/tx/public-key.ts';
import type { SignatureTask } from '../framework/tx/signature.ts';
import type { Address } from '../framework/address.ts';
import type { AuthKeeper } from '../modules/auth/keeper.ts';
import { runTx, type TxEnvironment } from './run-tx.ts';

/** A transaction's own signatures; none when it will be refused for another reason. */
export function transactionTasks(
  context: ReadContext,
  tx: DecodedTx,
  auth: AuthKeeper,
): readonly SignatureTask[] {
  if (tx.signers.length !== tx.required.length) return [];
  return tx.signers.flatMap((signer, i) =>
    signerTasks(context, { tx, signer, address: tx.required[i], auth }),
  );
}

function signerTasks(
  context: ReadContext,
  given: {
    readonly tx: DecodedTx;
    readonly signer: TxSigner;
    readonly address: Address | undefined;
    readonly auth: AuthKeeper;
  },
): readonly SignatureTask[] {
  const { tx, signer, address, auth } = given;
  const account = address === undefined ? undefined : auth.find(context, address);
  const pubKey = account?.pubKey ?? signer.pubKey;
  if (account === undefined || pubKey === undefined) return [];
  if (keyCountOf(pubKey) > auth.params(context).txSigLimit) return [];
  const { chainId } = context.block;
  const { accountNumber } = account;
  try {
    const data = { chainId, accountNumber, sequence: signer.sequence };
    const tasks = signatureTasks({ tx, signer, address: account.address, pubKey, data });
    return tasks.filter((task) => task.pubKey.kind === 'secp256k1');
  } catch {
    return []; // what cannot be signed is refused, with its reason, by CheckTx itself
  }
}

/** The transactions of a block that may run next, and what is worth verifying before they do. */
export interface NextTransactions {
  readonly txs: number;
  readonly tasks: readonly SignatureTask[];
}

/**
 * The next transactions up to the first that carries statements; when that is the first of all, those that
 * carry some, and the signatures under them. One that does something else too is the last of these: what it
 * moves may be what a later one pays with.
 * @param txs the rest of the block; undefined for what cannot be decoded
 * @param environment of mode `check`, over a branch that nobody needs: fees and sequences are written to it
 */
export function nextTransactions(
  txs: readonly (DecodedTx | undefined)[],
  environment: TxEnvironment,
): NextTransactions {
  const first = txs.findIndex((tx) => tx !== undefined && statementsOf(tx) > 0);
  if (first !== 0) return { txs: first < 0 ? txs.length : first, tasks: [] };
  const tasks: SignatureTask[] = [];
  let count = 0;
  for (const tx of txs) {
    const statements = tx === undefined ? 0 : statementsOf(tx);
    if (tx === undefined || statements === 0) break;
    count++;
    const { error, gasUsed } = runTx(tx, environment);
    if (error === undefined) tasks.push(...tasksOf(tx, environment, tx.fee.gasLimit - gasUsed));
    if (statements < tx.messages.length) break;
  }
  return { txs: count, tasks };
}

/** How many messages of the transaction can say which signatures they need. */
function statementsOf({ messages }: DecodedTx): number {
  return messages.filter(({ signatures }) => signatures !== undefined).length;
}

function tasksOf(
  { messages }: DecodedTx,
  { branch, block }: TxEnvironment,
  gasLeft: bigint,
): readonly SignatureTask[] {
  const context = new QueryContext(branch, block, new GasMeter(gasLeft));
  const tasks: SignatureTask[] = [];
  try {
    for (const { signatures } of messages) if (signatures !== undefined) tasks.push(...signatures(context));
  } catch {
    // The message is wrong or its gas too little: executing it says so, with the reason.
  }
  return tasks;
}
