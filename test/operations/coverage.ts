/** How often each type of message succeeded and failed, inside of others too. */
import { MsgExec } from '../../proto/gen/cosmos/authz/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';

/** Counts of one type. */
export interface Delivered {
  readonly succeeded: number;
  readonly failed: number;
}

/** See the file comment. */
export class Coverage {
  readonly #counts = new Map<string, Delivered>();

  get counts(): ReadonlyMap<string, Delivered> {
    return this.#counts;
  }

  /** A message was delivered, with what it executes. */
  count({ typeUrl, value }: Any, succeeded: boolean): void {
    this.countType(typeUrl, succeeded);
    if (typeUrl === MsgExec.typeUrl && succeeded)
      for (const inner of MsgExec.decode(value).msgs) this.count(inner, true);
  }

  countType(typeUrl: string, succeeded: boolean): void {
    const before = this.#counts.get(typeUrl) ?? { succeeded: 0, failed: 0 };
    this.#counts.set(typeUrl, {
      succeeded: before.succeeded + (succeeded ? 1 : 0),
      failed: before.failed + (succeeded ? 0 : 1),
    });
  }

  add(other: Coverage): void {
    for (const [typeUrl, { succeeded, failed }] of other.counts) {
      const before = this.#counts.get(typeUrl) ?? { succeeded: 0, failed: 0 };
      this.#counts.set(typeUrl, {
        succeeded: before.succeeded + succeeded,
        failed: before.failed + failed,
      });
    }
  }

  /** A table, by type. */
  lines(): readonly string[] {
    const names = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
    return names.map(([typeUrl, { succeeded, failed }]) =>
      [typeUrl.padEnd(60), String(succeeded).padStart(8), String(failed).padStart(8)].join(''),
    );
  }
}
