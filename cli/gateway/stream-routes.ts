/** Answers piece by piece, as server-sent events, and links that pay for them. */
import { toBase64, toHex } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { json, type Reply } from '../../serve/reply.ts';
import type { AnsweredOutcome } from '../../gateway/serve/desk.ts';
import type { GivenPiece, LinkOutcome, OpenedStream, StreamEnding } from '../../gateway/serve/stream-desk.ts';
import { payBodyOf } from './infer-body.ts';
import type { GatewayRouteParts } from './routes.ts';

type Refused = Extract<LinkOutcome, { readonly kind: 'refused' }>['reason'];

const LINK_REFUSED: Readonly<Record<Refused, readonly [status: number, sentence: string]>> = {
  no_stream: [409, 'no stream of this lane is being given; send its voucher again for what was paid for'],
  invalid_link: [402, 'the preimage does not lead to the last link that was shown'],
};

/** After these the process begins again from what is on the disk. */
export function isFatal({ code }: LedgerError): boolean {
  return code === 'gateway.disk' || code === 'vouchers.disk';
}

/** What a payer keeps of what it has paid. */
export function paidJson({ receipt, signature, charged, again }: AnsweredOutcome): object {
  return { receipt: toBase64(receipt), signature: toBase64(signature), charged, again };
}

/** 200 with an event for each piece and one for the end: docs/operations/gateway.md. */
export function streamReply(
  { signal: stop, onOutcome, onFatal }: GatewayRouteParts,
  opened: OpenedStream,
): Reply {
  return {
    status: 200,
    type: 'text/event-stream',
    body: {
      async sendTo(send, left) {
        const give = (piece: GivenPiece): Promise<void> => send(eventOf(piece));
        const signal = AbortSignal.any([stop, left]);
        try {
          const ending = await opened.run(give, signal);
          onOutcome(`stream_${ending.ended}`);
          await send(eventOf(endOf(ending)));
        } catch (error) {
          onOutcome('failed');
          if (error instanceof LedgerError && isFatal(error)) onFatal(error);
          throw error;
        }
      },
    },
  };
}

function endOf({ ended, paid }: StreamEnding): object {
  return paid === undefined ? { ended, charged: null } : { ended, ...paidJson(paid) };
}

function eventOf(value: object): string {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}` : part));
  return `data: ${text}\n\n`;
}

/** Takes a link; it is on the disk before the answer leaves. */
export async function payReply(
  { streams, logger, onFatal }: GatewayRouteParts,
  body: Uint8Array,
): Promise<Reply> {
  const { channelId, lane, ...link } = payBodyOf(body);
  try {
    const outcome = await streams.pay(channelId, lane, link);
    if (outcome.kind === 'paid') return json({ index: outcome.index });
    const [status, message] = LINK_REFUSED[outcome.reason];
    return json({ error: { code: `gateway.${outcome.reason}`, message } }, status);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    logger.warn({ channel: toHex(channelId), lane, error: messageOf(error) }, 'a link was not taken');
    if (isFatal(error)) onFatal(error);
    const message = 'the link was not taken; send it, or its voucher, again';
    return json({ error: { code: 'gateway.unavailable', message } }, 503);
  }
}
