/**
 * Finds charges that receipts were kept of and the journal of vouchers does not have: it was lost, or an
 * older copy of it was put in its place. A receipt of such a lane was signed: another one from where the
 * journal ends would convict the gateway. So the payee lets the lane go on where its receipts end
 * (`lastReceipt`).
 */
import { toHex } from '../../core/bytes.ts';
import type { Payee } from '../../client/vouchers/payee.ts';
import type { GatewayLogger } from './ports.ts';
import type { ReceiptLog } from './receipt-log.ts';

/** What it is made of. */
export interface LostChargesPorts {
  readonly payee: Pick<Payee, 'missingCharge'>;
  readonly receipts: Pick<ReceiptLog, 'last' | 'lasts'>;
  readonly logger: GatewayLogger;
}

interface Lane {
  readonly channel: Uint8Array;
  readonly lane: number;
}

/** See the file comment. */
export class LostCharges {
  readonly #ports: LostChargesPorts;
  #lanes: readonly Lane[] | undefined;

  constructor(ports: LostChargesPorts) {
    this.#ports = ports;
  }

  /** Lanes that still wait for a voucher that covers their receipts. */
  get lanes(): number {
    return (this.#lanes ?? []).filter((lane) => this.#missing(lane) > 0n).length;
  }

  /** Looks once, when channels are observed for the first time: while a process serves, none are lost. */
  look(): void {
    if (this.#lanes !== undefined) return;
    const { receipts, logger } = this.#ports;
    this.#lanes = receipts.lasts().filter((lane) => this.#missing(lane) > 0n);
    const [first] = this.#lanes;
    if (first === undefined) return;
    const amount = this.#lanes.reduce((sum, lane) => sum + this.#missing(lane), 0n);
    const facts = { lanes: this.#lanes.length, amount, first: `${toHex(first.channel)}/${first.lane}` };
    logger.error(
      facts,
      'receipts were kept of charges that vouchers.log does not have: it was lost, or replaced by an older ' +
        'copy; stop, and put it back if it is there. Until then such a lane is served only by vouchers that ' +
        'begin where its receipts end, and what was charged before is claimed by the first of them',
    );
  }

  #missing({ channel, lane }: Lane): bigint {
    const { payee, receipts } = this.#ports;
    const last = receipts.last(channel, lane);
    return last === undefined ? 0n : payee.missingCharge(channel, lane, last.receipt);
  }
}
