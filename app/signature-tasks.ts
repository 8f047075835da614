/**
 * The signatures that a node has threads verify before the application asks for them. Whatever is not found
 * here is verified where it is met, and what is found in vain changes no result.
 *
 * Nobody gets statements (vouchers) verified that nobody will pay for: only those of a block that is
 * about to be executed are looked at, of transactions that CheckTx would admit on the state before the block
 * (signed, able to pay their fee), and they are charged against the transaction's own gas limit.
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

/** True when a message of the transaction can say which signatures it needs. */
export function carriesStatements({ messages }: DecodedTx): boolean {
  return messages.some(({ signatures }) => signatures !== undefined);
}

/**
 * The signatures under the statements of these transactions, which carry some, in order.
 * @param environment of mode `check`, over a branch that nobody needs: fees and sequences are written to it
 */
export function statementTasks(
  txs: readonly DecodedTx[],
  environment: TxEnvironment,
): readonly SignatureTask[] {
  return txs.flatMap((tx) => {
    const { error, gasUsed } = runTx(tx, environment);
    return error === undefined ? tasksOf(tx, environment, tx.fee.gasLimit - gasUsed) : [];
  });
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
