/**
 * `priv_validator_state.json` in CometBFT's form: the last height, round and step that was signed, with the
 * bytes and the signature. The guard against double signing is this file and `checkStep`.
 */
import { fromBase64, fromHex, fromUtf8, toBase64, toUpperHex, utf8 } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { type DurableFiles, replaceFile } from './durable-file.ts';
import { fieldOf, parseObject } from './json.ts';

/** CometBFT's numbers of the three things that a validator signs, in the order of a round. */
export const STEPS = { propose: 1, prevote: 2, precommit: 3 } as const;

/** The place of a signature in the life of the chain. */
export interface SignStep {
  readonly height: bigint;
  readonly round: number;
  /** One of `STEPS`; 0 before anything was signed. */
  readonly step: number;
}

/** What was signed last. */
export interface SignState extends SignStep {
  /** Undefined before anything was signed. */
  readonly signed: { readonly signBytes: Uint8Array; readonly signature: Uint8Array } | undefined;
}

/** The state of a validator that has never signed. */
export const NEVER_SIGNED: SignState = { height: 0n, round: 0, step: 0, signed: undefined };

/** Where a request stands relative to the last signature. */
export function compareStep(a: SignStep, b: SignStep): number {
  if (a.height !== b.height) return a.height < b.height ? -1 : 1;
  if (a.round !== b.round) return a.round - b.round;
  return a.step - b.step;
}

/** Writes the state durably: when this resolves, no crash can bring an older one back. */
export async function writeSignState(files: DurableFiles, path: string, state: SignState): Promise<void> {
  const signed =
    state.signed === undefined
      ? {}
      : { signature: toBase64(state.signed.signature), signbytes: toUpperHex(state.signed.signBytes) };
  const content = { height: String(state.height), round: state.round, step: state.step, ...signed };
  await replaceFile(files, path, utf8(`${JSON.stringify(content, undefined, 2)}\n`));
}

/**
 * Reads the state; undefined when the file does not exist.
 * @throws LedgerError `privval.state_file`: the node must not sign without knowing what it signed last
 */
export async function readSignState(files: DurableFiles, path: string): Promise<SignState | undefined> {
  const bytes = await files.read(path);
  if (bytes === undefined) return undefined;
  try {
    return parseSignState(fromUtf8(bytes));
  } catch (cause) {
    throw new LedgerError(
      'privval.state_file',
      `cannot read the signing state ${path}: ${messageOf(cause)}. Restore it from this machine. If it is lost, let all ` +
        'that it holds be {"height":"N","round":0,"step":0}, where N is one above the last height this validator can have ' +
        'signed; never reset it on a live chain.',
      { path },
      cause,
    );
  }
}

function parseSignState(text: string): SignState {
  const content = parseObject(text);
  const height = fieldOf(content, 'height', 'string');
  if (!/^\d{1,19}$/.test(height)) throw new LedgerError('privval.state_file', '"height" must be digits');
  const step = {
    height: BigInt(height),
    round: wholeNumber(content, 'round', 0x7fff_ffff),
    step: wholeNumber(content, 'step', STEPS.precommit),
  };
  const hasSigned = content['signature'] !== undefined || content['signbytes'] !== undefined;
  if (!hasSigned) return { ...step, signed: undefined };
  const signBytes = fromHex(fieldOf(content, 'signbytes', 'string'));
  return { ...step, signed: { signBytes, signature: fromBase64(fieldOf(content, 'signature', 'string')) } };
}

function wholeNumber(content: Readonly<Record<string, unknown>>, name: string, max: number): number {
  const value = fieldOf(content, name, 'number');
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new LedgerError('privval.state_file', `"${name}" must be a whole number up to ${max}`);
  }
  return value;
}
