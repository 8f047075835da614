/** Transactions, with the messages of every module. */
import { composeModules } from '../../../app/modules.ts';
import { utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { StateError } from '../../../framework/errors.ts';
import { decodeTx } from '../../../framework/tx/decode.ts';
import { MsgMultiSend, MsgSend } from '../../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import { AuthInfo, TxBody, TxRaw } from '../../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import type { Any } from '../../../proto/gen/google/protobuf/any.ts';
import { TestChain } from '../../support/test-chain.ts';
import type { Target } from '../target.ts';

const { addresses, modules, router } = composeModules('open');
const chain = new TestChain();
const [alice, bob] = [chain.account(0), chain.account(1)];
const amount = [{ denom: 'uopen', amount: '5' }];
const send: Any = {
  typeUrl: MsgSend.typeUrl,
  value: MsgSend.encode({ fromAddress: alice.address, toAddress: bob.address, amount }),
};
const multiSend: Any = {
  typeUrl: MsgMultiSend.typeUrl,
  value: MsgMultiSend.encode({
    inputs: [{ address: alice.address, coins: amount }],
    outputs: [{ address: bob.address, coins: amount }],
  }),
};
/** Empty messages of every kind: the changes fill them. */
const every = modules
  .flatMap((module) => module.messages)
  .map(({ typeUrl }) =>
    TxRaw.encode({
      bodyBytes: TxBody.encode(
        TxBody.create({ messages: [{ typeUrl, value: utf8('\n\u0001x\u0012\u0001y') }] }),
      ),
      authInfoBytes: AuthInfo.encode(
        AuthInfo.create({ fee: { amount, gasLimit: 1n, payer: '', granter: '' } }),
      ),
      signatures: [],
    }),
  );

export const TRANSACTION_TARGETS: readonly Target[] = [
  {
    name: 'tx/decode',
    form: 'protobuf',
    seeds: [
      chain.sign(alice, [send]),
      chain.sign(alice, [send, multiSend], { memo: 'both', payer: bob.address, also: [bob] }),
      ...every,
    ],
    bytesMax: 64 * 1024,
    read: (bytes) => {
      const { bodyBytes, authInfoBytes, signers } = decodeTx(bytes, sha256(bytes), { router, addresses });
      return () =>
        TxRaw.encode({ bodyBytes, authInfoBytes, signatures: signers.map(({ signature }) => signature) });
    },
    documented: (error) => error instanceof StateError,
  },
];
