import { expect, test } from 'vitest';
import { ANY_DEPTH_MAX } from '../../framework/any-types.ts';
import { MsgExec } from '../../proto/gen/cosmos/authz/v1beta1/tx.ts';
import { TxBody, TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { Any } from '../../proto/gen/google/protobuf/any.ts';
import { MsgServeChunk } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { messagesIn } from './submitted-claims.ts';

test('messages are found as deep in grants as the chain executes them', () => {
  const value = MsgServeChunk.encode(MsgServeChunk.create({ requestId: 7n }));
  let message = Any.create({ typeUrl: MsgServeChunk.typeUrl, value });
  for (let depth = 0; depth <= ANY_DEPTH_MAX; depth++) {
    const bodyBytes = TxBody.encode(TxBody.create({ messages: [message] }));
    const found = messagesIn(TxRaw.encode(TxRaw.create({ bodyBytes })), MsgServeChunk);
    expect(
      found.map(({ requestId }) => requestId),
      `inside ${depth} of them`,
    ).toEqual([7n]);
    message = Any.create({
      typeUrl: MsgExec.typeUrl,
      value: MsgExec.encode({ grantee: 'open1', msgs: [message] }),
    });
  }
});
