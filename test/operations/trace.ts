/** What happened, for a person: one line for each block and each transaction. */
import type { ExecTxResult } from '../../proto/gen/tendermint/abci/types.ts';
import type { Sent } from './traffic.ts';

/** Lines that are kept: those of the last blocks. */
const LINES_MAX = 60;
const LOG_CHARACTERS_MAX = 150;

/** The last lines. */
export class Trace {
  readonly #lines: string[] = [];

  get lines(): readonly string[] {
    return this.#lines;
  }

  note(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > LINES_MAX) this.#lines.shift();
  }

  transaction({ envelope }: Sent, { code, codespace, log }: ExecTxResult): void {
    const { signers, messages, fault, timeout, amino, granter } = envelope;
    const names = messages.map(({ typeUrl }) => typeUrl.slice(1));
    const notes = [
      ...(fault === 'none' ? [] : [`fault ${fault}`]),
      ...(timeout === undefined ? [] : ['unordered']),
      ...(amino ? ['amino'] : []),
      ...(granter === '' ? [] : ['granted']),
    ];
    const outcome = code === 0 ? 'ok' : `${codespace} ${code}: ${log.slice(0, LOG_CHARACTERS_MAX)}`;
    const by = signers.map(({ name }) => name).join(' and ');
    this.note(
      `  ${names.join(', ')} by ${by}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}: ${outcome}`,
    );
  }
}
