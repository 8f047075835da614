/** Where an account stands, as a node's state says. */
import { toHex } from '../../core/bytes.ts';
import { BaseAccount } from '../../proto/gen/cosmos/auth/v1beta1/auth.ts';
import { QueryAccountRequest, QueryAccountResponse } from '../../proto/gen/cosmos/auth/v1beta1/query.ts';
import { call } from './rpc.ts';

/** @throws Error when there is no such account, or no answer */
export async function accountAt(
  rpc: string,
  address: string,
): Promise<{ readonly accountNumber: bigint; readonly sequence: bigint }> {
  const { response } = await call<{ response: { value: string | null } }>(rpc, 'abci_query', {
    path: '/cosmos.auth.v1beta1.Query/Account',
    data: toHex(QueryAccountRequest.encode({ address })),
  });
  const { account } = QueryAccountResponse.decode(Buffer.from(response.value ?? '', 'base64'));
  if (account === undefined) throw new Error(`there is no account ${address}`);
  return BaseAccount.decode(account.value);
}
