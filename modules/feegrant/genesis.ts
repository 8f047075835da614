import type { AddressCodec } from '../../framework/address.ts';
import type { JsonReader } from '../../framework/json.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import { messageFromJson, messageToJson } from '../../framework/proto-json.ts';
import { Grant } from '../../proto/gen/cosmos/feegrant/v1beta1/feegrant.ts';
import { GenesisState } from '../../proto/gen/cosmos/feegrant/v1beta1/genesis.ts';
import type { AccountCreator } from '../auth/types.ts';
import { readAllowance, STORED_ALLOWANCES as TYPES, validateAllowance } from './allowance.ts';
import type { FeeGrants, Parties } from './keeper.ts';
import type { FeegrantState } from './state.ts';
import type { Allowance } from './types.ts';

/** What genesis works with. */
export interface FeegrantGenesisPorts {
  readonly keeper: FeeGrants;
  readonly state: FeegrantState;
  readonly accounts: AccountCreator;
  readonly addresses: AddressCodec;
}

interface GenesisGrant {
  readonly parties: Parties;
  readonly allowance: Allowance;
}

/**
 * Genesis of feegrant: `{ allowances }` as x/feegrant writes it. Allowances that have expired are taken too:
 * the end of the next block removes them, as it would have in the chain that was exported.
 */
export function feegrantGenesis(ports: FeegrantGenesisPorts): GenesisHandler {
  const { keeper, state, accounts, addresses } = ports;
  return {
    defaults: () => messageToJson(GenesisState, GenesisState.create()),
    validate: (json) => void readGenesis(json, addresses),
    init(context, json) {
      for (const { parties, allowance } of readGenesis(json, addresses)) {
        if (!accounts.has(context, parties.grantee)) accounts.create(context, parties.grantee);
        keeper.put(context, parties, allowance);
      }
      return [];
    },
    export: (context) =>
      messageToJson(
        GenesisState,
        { allowances: [...state.grants.iterate(context)].map(([, grant]) => grant) },
        TYPES,
      ),
  };
}

function readGenesis(json: JsonReader, addresses: AddressCodec): readonly GenesisGrant[] {
  const state = messageFromJson(GenesisState, json, TYPES);
  const seen = new Set<string>();
  const entries = json.member('allowances').elements();
  return state.allowances.map((grant, i) => {
    const entry = entries[i] ?? json;
    // By itself: what a transaction may hold at most says nothing of how many there may be.
    entry.attempt(() => TYPES.check(Grant, grant));
    const { granter, grantee, allowance: any } = grant;
    const pair = `${granter}/${grantee}`;
    if (seen.has(pair)) entry.fail('this granter and this grantee are listed twice');
    seen.add(pair);
    if (granter === grantee) entry.fail('granter and grantee are the same');
    const parties = {
      granter: entry.member('granter').attempt(() => addresses.toBytes(granter)),
      grantee: entry.member('grantee').attempt(() => addresses.toBytes(grantee)),
    };
    const allowance = entry.member('allowance').attempt(() => {
      const read = readAllowance(any);
      validateAllowance(read, 'stored');
      return read;
    });
    return { parties, allowance };
  });
}
