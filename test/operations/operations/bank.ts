import { moduleAddress } from '../../../framework/address.ts';
import { MsgMultiSend, MsgSend } from '../../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import {
  MsgCreatePeriodicVestingAccount,
  MsgCreatePermanentLockedAccount,
  MsgCreateVestingAccount,
} from '../../../proto/gen/cosmos/vesting/v1beta1/tx.ts';
import {
  anyone,
  coin,
  type Operation,
  operation,
  OTHER_DENOM,
  someCoins,
  someOf,
  type World,
} from '../world.ts';

const MODULE_NAMES = [
  'gov',
  'distribution',
  'bonded_tokens_pool',
  'not_bonded_tokens_pool',
  'fee_collector',
  'mint',
  'payments',
  'pools',
] as const;

/** Mostly one of us; also modules, which may not be sent to, and strangers. */
export function aRecipient(world: World): string {
  const { random, composition } = world;
  if (random.oneIn(14)) return composition.addresses.toText(moduleAddress(random.pick(MODULE_NAMES)));
  if (random.oneIn(14)) return composition.addresses.toText(random.bytes(20));
  return anyone(world).address;
}

/** Somebody who has no account yet: most are later seen in transactions. */
function aNewcomer(world: World): string {
  const { random, actors, composition, context } = world;
  const without = actors.filter(({ bytes }) => !composition.auth.has(context, bytes));
  return random.some(without)?.address ?? composition.addresses.toText(random.bytes(20));
}

/** Bank and vesting accounts. */
export const bankOperations: readonly Operation[] = [
  operation(MsgSend, 60, (world, sender) => ({
    fromAddress: sender.address,
    toAddress: aRecipient(world),
    amount: someCoins(world, sender),
  })),
  operation(MsgMultiSend, 15, (world, sender) => {
    const denom = world.random.oneIn(3) ? OTHER_DENOM : undefined;
    const amount = someOf(world, sender, denom);
    const first = amount / 3n;
    const parts = first > 0n ? [first, amount - first] : [amount];
    const wrong = world.random.oneIn(25) ? 1n : 0n;
    return {
      inputs: [{ address: sender.address, coins: [coin(amount + wrong, denom)] }],
      outputs: parts.map((part) => ({ address: aRecipient(world), coins: [coin(part, denom)] })),
    };
  }),
  operation(MsgCreateVestingAccount, 6, (world, sender) => ({
    fromAddress: sender.address,
    toAddress: aNewcomer(world),
    amount: someCoins(world, sender),
    endTime: world.time.seconds + BigInt(world.random.between(-5, 2000)),
    delayed: world.random.oneIn(2),
  })),
  operation(MsgCreatePermanentLockedAccount, 3, (world, sender) => ({
    fromAddress: sender.address,
    toAddress: aNewcomer(world),
    amount: someCoins(world, sender),
  })),
  operation(MsgCreatePeriodicVestingAccount, 5, (world, sender) => ({
    fromAddress: sender.address,
    toAddress: aNewcomer(world),
    startTime: world.time.seconds + BigInt(world.random.between(-100, 100)),
    vestingPeriods: Array.from({ length: world.random.between(1, 4) }, () => ({
      length: BigInt(world.random.between(1, 300)),
      amount: [coin(world.random.amount(someOf(world, sender) / 4n + 1n))],
    })),
  })),
];
