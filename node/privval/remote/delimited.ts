/** Protobuf messages on a channel, each with its length as a varint in front. */
import { DecodeError, LedgerError } from '../../../core/errors.ts';
import type { MessageType } from '../../../proto/codec/message.ts';
import type { ByteChannel } from './channel.ts';

/** Bytes of the longest varint of a length that is allowed. */
const LENGTH_BYTES_MAX = 3;

/**
 * Reads one message.
 * @param bytesMax a longer one is refused before anything is allocated for it
 * @throws LedgerError `privval.closed`, DecodeError for what is not such a message; the channel is of no
 * more use then
 */
export async function readDelimited<T>(
  channel: ByteChannel,
  type: MessageType<T>,
  bytesMax: number,
): Promise<T> {
  const length = await readLength(channel, bytesMax);
  if (length === 0) return type.decode(new Uint8Array(0));
  return type.decode(await channel.read(length));
}

async function readLength(channel: ByteChannel, bytesMax: number): Promise<number> {
  let length = 0;
  for (let at = 0; at < LENGTH_BYTES_MAX; at++) {
    const [byte = 0] = await channel.read(1);
    length += (byte & 127) * 128 ** at;
    if (byte >= 128) continue;
    if (length <= bytesMax) return length;
    break;
  }
  throw new DecodeError(`a message is longer than ${bytesMax} bytes`, { bytesMax });
}

/** Deadlines need a clock; the machine's is `systemTimers`. */
export interface Deadlines {
  after(delayMs: number, callback: () => void): () => void;
}

/**
 * What the work gives, if it ends in time; otherwise the channel is destroyed, so that no answer can come
 * late and be taken for that of a later question.
 * @throws LedgerError `privval.timeout`
 */
export async function withDeadline<T>(
  { channel, timers, timeoutMs }: { channel: ByteChannel; timers: Deadlines; timeoutMs: number },
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  const cancel = timers.after(timeoutMs, () => {
    channel.destroy(new LedgerError('privval.timeout', `${what} took longer than ${timeoutMs} ms`));
  });
  try {
    return await work();
  } finally {
    cancel();
  }
}
