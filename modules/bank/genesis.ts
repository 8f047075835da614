import { compareBytes } from '../../core/bytes.ts';
import type { Address, AddressCodec } from '../../framework/address.ts';
import {
  addCoins,
  type Coin,
  type Coins,
  coinsToString,
  equalCoins,
  isDenom,
  NO_COINS,
  parseAmount,
  problemOfCoins,
} from '../../framework/coins.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { JsonReader, JsonValue } from '../../framework/json.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import type { Metadata, Params, SendEnabled } from '../../proto/gen/cosmos/bank/v1beta1/bank.ts';
import type { Bank } from './keeper.ts';
import { metadataFromJson, metadataToJson } from './metadata.ts';
import { DEFAULT_PARAMS, paramsFromJson, paramsToJson } from './params.ts';
import type { BankState } from './state.ts';

/** What genesis works with. */
export interface BankGenesisPorts {
  readonly bank: Bank;
  readonly state: BankState;
  readonly addresses: AddressCodec;
}

interface GenesisBalance {
  readonly address: Address;
  readonly coins: Coins;
}

interface BankGenesis {
  readonly params: Params;
  readonly balances: readonly GenesisBalance[];
  readonly supply: Coins;
  readonly metadata: readonly Metadata[];
  readonly sendEnabled: readonly SendEnabled[];
}

/** Genesis of bank: `{ params, balances, supply, denom_metadata, send_enabled }` as x/bank writes it. */
export function bankGenesis(ports: BankGenesisPorts): GenesisHandler {
  const { bank, state, addresses } = ports;
  return {
    defaults: () => ({
      params: paramsToJson(DEFAULT_PARAMS),
      balances: [],
      supply: [],
      denom_metadata: [],
      send_enabled: [],
    }),
    validate: (json) => void readGenesis(json, addresses),
    init(context, json) {
      const genesis = readGenesis(json, addresses);
      bank.setParams(context, genesis.params);
      for (const { denom, enabled } of genesis.sendEnabled) state.sendEnabled.set(context, denom, enabled);
      for (const { address, coins } of genesis.balances)
        for (const { denom, amount } of coins) state.balances.set(context, [address, denom], amount);
      for (const { denom, amount } of genesis.supply) state.supply.set(context, denom, amount);
      for (const metadata of genesis.metadata) state.metadata.set(context, metadata.base, metadata);
      return [];
    },
    export: (context) => ({
      params: paramsToJson(bank.params(context)),
      balances: exportBalances(state, context, addresses),
      supply: [...state.supply.iterate(context)].map(([denom, amount]) => coinToJson({ denom, amount })),
      denom_metadata: [...state.metadata.iterate(context)].map(([, metadata]) => metadataToJson(metadata)),
      send_enabled: [...state.sendEnabled.iterate(context)].map(([denom, enabled]) => ({ denom, enabled })),
    }),
  };
}

function readGenesis(json: JsonReader, addresses: AddressCodec): BankGenesis {
  json.onlyMembers('params', 'balances', 'supply', 'denom_metadata', 'send_enabled');
  const balances = readBalances(json.member('balances'), addresses);
  const total = balances.reduce<Coins>((sum, { coins }) => addCoins(sum, coins), NO_COINS);
  const supply = json.member('supply');
  const stated = readCoins(supply);
  if (stated.length > 0 && !equalCoins(stated, total))
    supply.fail(`is ${coinsToString(stated)}, but the balances add up to ${coinsToString(total)}`);
  return {
    params: paramsFromJson(json.member('params')),
    balances,
    supply: total,
    metadata: json.member('denom_metadata').elements().map(metadataFromJson),
    sendEnabled: readSendEnabled(json.member('send_enabled')),
  };
}

function readBalances(json: JsonReader, addresses: AddressCodec): readonly GenesisBalance[] {
  const seen = new Set<string>();
  const balances = json.elements().map((element) => {
    element.onlyMembers('address', 'coins');
    const address = element.member('address');
    const text = address.text();
    if (seen.has(text)) address.fail(`${text} is listed twice`);
    seen.add(text);
    return {
      address: address.attempt(() => addresses.toBytes(text)),
      coins: readCoins(element.member('coins')),
    };
  });
  return balances.sort((a, b) => compareBytes(a.address, b.address));
}

function readCoins(json: JsonReader): Coins {
  const coins = json.elements().map((element): Coin => {
    const denom = element.member('denom');
    if (!isDenom(denom.text())) denom.fail(`${denom.text()} is no denomination`);
    const amount = element.member('amount');
    const value = amount.attempt(() => parseAmount(amount.text()));
    if (value <= 0n) amount.fail(`${value} is not positive`);
    return { denom: denom.text(), amount: value };
  });
  const problem = problemOfCoins(coins);
  return problem === undefined ? coins : json.fail(problem);
}

function readSendEnabled(json: JsonReader): readonly SendEnabled[] {
  const seen = new Set<string>();
  return json.elements().map((element) => {
    const denom = element.member('denom').text();
    if (!isDenom(denom)) element.member('denom').fail(`${denom} is no denomination`);
    if (seen.has(denom)) element.member('denom').fail(`${denom} is listed twice`);
    seen.add(denom);
    return { denom, enabled: element.member('enabled').boolean() };
  });
}

function exportBalances(
  state: BankState,
  context: ReadContext,
  addresses: AddressCodec,
): readonly JsonValue[] {
  const coins = new Map<string, JsonValue[]>();
  for (const [[address, denom], amount] of state.balances.iterate(context)) {
    const text = addresses.toText(address);
    const held = coins.get(text) ?? [];
    held.push(coinToJson({ denom, amount }));
    coins.set(text, held);
  }
  return [...coins].map(([address, held]) => ({ address, coins: held }));
}

function coinToJson({ denom, amount }: Coin): JsonValue {
  return { denom, amount: amount.toString() };
}
