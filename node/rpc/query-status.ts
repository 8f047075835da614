/** Refusals of queries that the node answers, as BaseApp of SDK v0.50 tells them (`baseapp/abci.go`). */
import { LedgerError } from '../../core/errors.ts';
import type { ResponseQuery } from '../../proto/gen/tendermint/abci/types.ts';

type Status = 'NotFound' | 'InvalidArgument' | 'Internal' | 'Unknown';

/** Code and description in the codespace `sdk` that BaseApp gives to a status of gRPC. */
const KINDS: Readonly<Record<Status, readonly [code: number, description: string]>> = {
  NotFound: [22, 'key not found'],
  InvalidArgument: [18, 'invalid request'],
  Internal: [6, 'unknown request'],
  Unknown: [6, 'unknown request'],
};

/** A refusal with a status of gRPC. */
export class StatusError extends LedgerError {
  readonly status: Status;

  constructor(status: Status, description: string) {
    super('rpc.query', `rpc error: code = ${status} desc = ${description}`);
    this.status = status;
  }
}

/** What has no status of gRPC is an invalid request to BaseApp. */
export function failureOf(error: Error): Pick<ResponseQuery, 'code' | 'codespace' | 'log'> {
  const [code, description] = KINDS[error instanceof StatusError ? error.status : 'InvalidArgument'];
  return { code, codespace: 'sdk', log: `${error.message}: ${description}` };
}
