/** A thread of `payment-threads.ts`: gets records, answers with what it has signed and verified, in order. */
import { parentPort, workerData } from 'node:worker_threads';
import { type PaidChannel, type PaidGateway, PaymentDesk, payerSigner } from './payments.ts';

/** What a thread is started with. */
export interface PaymentWork {
  readonly gateway: PaidGateway;
  /** Ids of all channels, by number. */
  readonly ids: readonly Uint8Array[];
}

const { gateway, ids } = workerData as PaymentWork;
const known = new Map<number, PaidChannel>();

function channel(number: number): PaidChannel {
  const old = known.get(number);
  if (old !== undefined) return old;
  const id = ids[number];
  if (id === undefined) throw new RangeError(`there is no channel ${number}`);
  const signer = payerSigner(number);
  const found = { id, signer, key: signer.key };
  known.set(number, found);
  return found;
}

const desk = new PaymentDesk(gateway, channel);
parentPort?.on('message', (records: Uint8Array) => parentPort?.postMessage(desk.pay(records)));
