/**
 * Statements that are signed off the chain and checked on it: a voucher, an authorisation to pay. What is
 * signed depends on who signs:
 *
 * | form     | what the key signs                           | who                              |
 * | -------- | -------------------------------------------- | -------------------------------- |
 * | plain    | the canonical bytes                          | programs                         |
 * | adr036   | `MsgSignData` in amino JSON, of the text     | people: a wallet shows the text  |
 *
 * Canonical bytes begin with a domain in small letters: no transaction's sign bytes do (those of DIRECT begin
 * with 0x0a or 0x12, those of amino JSON with a brace), so neither can be passed off as the other. ed25519
 * signs the bytes, secp256k1 their SHA-256.
 */
import { adr036SignBytes } from '../../core/adr036.ts';
import type { AddressCodec } from '../address.ts';
import type { AnteAccounts } from '../ante/ports.ts';
import type { ReadContext } from '../context.ts';
import type { SingleKey } from './public-key.ts';
import type { SignatureTask, SignatureVerifier } from './signature.ts';

/** What of a statement is signed. */
export type StatementForm = 'plain' | 'adr036';

/** The same content twice: for programs and for people. Each must say everything. */
export interface Statement {
  /** Begins with a domain that names the kind of statement, and binds the chain. */
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** A statement and who is said to have signed it. */
export interface SignedStatement {
  readonly statement: Statement;
  readonly form: StatementForm;
  readonly key: SingleKey;
  /** 64 bytes; r ‖ s with low s for secp256k1. */
  readonly signature: Uint8Array;
}

/** The signature that a signed statement claims to have. */
export function statementTask(
  { statement, form, key, signature }: SignedStatement,
  addresses: AddressCodec,
): SignatureTask {
  const signBytes =
    form === 'plain' ? statement.bytes : adr036SignBytes(addresses.toText(key.address), statement.text);
  return { pubKey: key, signBytes, signature };
}

/** What verifying statements needs. */
export interface StatementPorts {
  readonly verifier: SignatureVerifier;
  /** What a signature costs: parameters of auth. */
  readonly accounts: Pick<AnteAccounts, 'params'>;
  readonly addresses: AddressCodec;
}

/** Verifies signed statements, for gas. */
export class StatementVerifier {
  readonly #ports: StatementPorts;

  constructor(ports: StatementPorts) {
    this.#ports = ports;
  }

  /**
   * True when all were signed as they say. They cost as many signatures as there are, by kind of key as in a
   * transaction, before the first is looked at; the first wrong one ends the work.
   * @returns the position of the first that is wrong, -1 when none is
   */
  firstWrong(context: ReadContext, signed: readonly SignedStatement[]): number {
    const { verifier, addresses } = this.#ports;
    this.#charge(context, signed);
    return signed.findIndex((one) => !verifier.verify(statementTask(one, addresses)));
  }

  /** What `firstWrong` would verify, for the same gas: to have it verified elsewhere beforehand. */
  tasks(context: ReadContext, signed: readonly SignedStatement[]): readonly SignatureTask[] {
    this.#charge(context, signed);
    return signed.map((one) => statementTask(one, this.#ports.addresses));
  }

  #charge(context: ReadContext, signed: readonly SignedStatement[]): void {
    const { accounts } = this.#ports;
    const { sigVerifyCostEd25519, sigVerifyCostSecp256k1 } = accounts.params(context);
    for (const { key } of signed) {
      const cost = key.kind === 'ed25519' ? sigVerifyCostEd25519 : sigVerifyCostSecp256k1;
      context.gas.consume(cost, `statement verify: ${key.kind}`);
    }
  }
}
