import { assert } from '../../core/errors.ts';
import { type Address, latin1, moduleAddress } from '../../framework/address.ts';
import type { AnteFees } from '../../framework/ante/ports.ts';
import { amountOf, type Coins, coinsToString, coinToString, problemOfCoins } from '../../framework/coins.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { ModulePermission } from '../../framework/module.ts';
import type { Params } from '../../proto/gen/cosmos/bank/v1beta1/bank.ts';
import { bankErrors } from './errors.ts';
import { coinBurned, coinMinted, coinReceived, coinSpent, messageSender, transferred } from './events.ts';
import { DEFAULT_PARAMS } from './params.ts';
import type { BankPorts } from './ports.ts';
import { type BankState, balanceKey } from './state.ts';
import type { BankStaking, SendRules, Transfer } from './types.ts';

/** Module account that fees go to. */
export const FEE_COLLECTOR = 'fee_collector';

/** Balances and supply. Coins are conserved: only `mint` and `burn` change the supply. */
export class Bank implements BankStaking, SendRules, AnteFees {
  readonly #state: BankState;
  readonly #ports: BankPorts;
  readonly #modules: ReadonlyMap<string, Address>;
  readonly #blocked: ReadonlySet<string>;
  readonly owed: Bank;

  constructor(state: BankState, ports: BankPorts) {
    this.#state = state;
    this.#ports = ports;
    const specs = [...ports.accounts.moduleAccounts.values()];
    this.#modules = new Map(specs.map(({ name }) => [name, moduleAddress(name)]));
    this.#blocked = new Set(
      specs.filter((spec) => spec.receivesFunds !== true).map(({ name }) => latin1(moduleAddress(name))),
    );
    const { length: restrictions } = ports.sendRestrictions;
    this.owed = restrictions === 0 ? this : new Bank(state, { ...ports, sendRestrictions: [] });
  }

  params(context: ReadContext): Params {
    return this.#state.params.get(context) ?? DEFAULT_PARAMS;
  }

  setParams(context: Context, params: Params): void {
    this.#state.params.set(context, { sendEnabled: [], defaultSendEnabled: params.defaultSendEnabled });
  }

  balance(context: ReadContext, address: Address, denom: string): bigint {
    return this.#state.balances.get(context, [address, denom]) ?? 0n;
  }

  balances(context: ReadContext, address: Address): Coins {
    const range = { prefix: balanceKey.prefix(address) };
    return [...this.#state.balances.iterate(context, range)].map(([[, denom], amount]) => ({
      denom,
      amount,
    }));
  }

  spendable(context: ReadContext, address: Address, denom: string): bigint {
    const free = this.balance(context, address, denom) - this.#locked(context, address, denom);
    return free > 0n ? free : 0n;
  }

  #locked(context: ReadContext, address: Address, denom: string): bigint {
    return amountOf(this.#ports.accounts.locked(context, address), denom);
  }

  supply(context: ReadContext, denom: string): bigint {
    return this.#state.supply.get(context, denom) ?? 0n;
  }

  isBlocked(address: Address): boolean {
    return this.#blocked.has(latin1(address));
  }

  /** @throws StateError (bank 5) when one of the denominations may not be sent now */
  checkSendEnabled(context: ReadContext, coins: Coins): void {
    const { defaultSendEnabled } = this.params(context);
    for (const { denom } of coins)
      if (!(this.#state.sendEnabled.get(context, denom) ?? defaultSendEnabled))
        throw new StateError(bankErrors.sendDisabled, `${denom} transfers are currently disabled`);
  }

  send(context: Context, transfer: Transfer): void {
    this.#requireUnlocked(context, transfer.from, transfer.coins);
    this.#give(context, transfer);
  }

  #give(context: Context, transfer: Transfer): void {
    this.ensureAccount(context, this.#move(context, transfer));
  }

  sendToModule(
    context: Context,
    transfer: { readonly from: Address; readonly module: string; readonly coins: Coins },
  ): void {
    this.#requireUnlocked(context, transfer.from, transfer.coins);
    this.#move(context, { from: transfer.from, to: this.#module(transfer.module), coins: transfer.coins });
  }

  sendFromModule(
    context: Context,
    transfer: { readonly module: string; readonly to: Address; readonly coins: Coins },
  ): void {
    if (this.isBlocked(transfer.to))
      throw new StateError(
        sdkErrors.unauthorized,
        `${this.#ports.addresses.toText(transfer.to)} is not allowed to receive funds`,
      );
    this.#give(context, { from: this.#module(transfer.module), to: transfer.to, coins: transfer.coins });
  }

  sendBetweenModules(
    context: Context,
    transfer: { readonly from: string; readonly to: string; readonly coins: Coins },
  ): void {
    const { from, to, coins } = transfer;
    this.#move(context, { from: this.#module(from), to: this.#module(to), coins });
  }

  collectFee(context: Context, payer: Address, fee: Coins): void {
    this.sendToModule(context, { from: payer, module: FEE_COLLECTOR, coins: fee });
  }

  mint(context: Context, { module, coins }: { readonly module: string; readonly coins: Coins }): void {
    const address = this.#moduleWith(module, 'minter');
    this.receive(context, address, coins);
    for (const { denom, amount } of coins)
      this.#state.supply.set(context, denom, this.supply(context, denom) + amount);
    context.emit(coinMinted(this.#ports.addresses.toText(address), coinsToString(coins)));
  }

  burn(context: Context, { module, coins }: { readonly module: string; readonly coins: Coins }): void {
    const address = this.#moduleWith(module, 'burner');
    this.#take(context, address, coins);
    for (const { denom, amount } of coins) {
      const rest = this.supply(context, denom) - amount;
      if (rest === 0n) this.#state.supply.remove(context, denom);
      else this.#state.supply.set(context, denom, rest);
    }
    context.emit(coinBurned(this.#ports.addresses.toText(address), coinsToString(coins)));
  }

  delegate(
    context: Context,
    order: { readonly from: Address; readonly module: string; readonly coins: Coins },
  ): void {
    const { from, module, coins } = order;
    const pool = this.#moduleWith(module, 'staking');
    for (const { denom, amount } of coins) {
      const balance = this.balance(context, from, denom);
      if (balance < amount)
        throw new StateError(
          sdkErrors.insufficientFunds,
          `failed to delegate; ${balance}${denom} is smaller than ${coinsToString(coins)}`,
        );
    }
    this.#take(context, from, coins);
    this.#ports.accounts.trackDelegation(context, from, coins);
    this.receive(context, pool, coins);
    this.#delegationGas(context, { from, pool, coins });
  }

  /**
   * Wallets delegate with gas limits made for the SDK, which looks the pool's account up twice and writes the
   * index of holders with each balance.
   */
  #delegationGas(
    context: Context,
    { from, pool, coins }: { readonly from: Address; readonly pool: Address; readonly coins: Coins },
  ): void {
    for (const _ of ['permissions', 'account']) this.#ports.accounts.find(context, pool);
    for (const { denom } of coins)
      for (const holder of [from, pool])
        if (this.balance(context, holder, denom) > 0n)
          this.#state.holders.entries.add(context, [denom, holder]);
  }

  undelegate(
    context: Context,
    order: { readonly module: string; readonly to: Address; readonly coins: Coins },
  ): void {
    const { module, to, coins } = order;
    this.#take(context, this.#moduleWith(module, 'staking'), coins);
    this.#ports.accounts.trackUndelegation(context, to, coins);
    this.receive(context, to, coins);
    this.ensureAccount(context, to);
  }

  /** Takes coins from an account. The caller gives them to someone: half of a transfer. */
  spend(context: Context, from: Address, coins: Coins): void {
    this.#requireUnlocked(context, from, coins);
    this.#take(context, from, coins);
  }

  /** As `spend`, of coins that may be locked: accounts of modules are not asked. */
  #take(context: Context, from: Address, coins: Coins): void {
    requireValid(coins);
    this.#subtract(context, from, coins);
    if (context.recordsEvents)
      context.emit(coinSpent(this.#ports.addresses.toText(from), coinsToString(coins)));
  }

  /** Gives an account coins that the caller took from another. */
  receive(context: Context, to: Address, coins: Coins): void {
    requireValid(coins);
    this.#add(context, to, coins);
    if (context.recordsEvents)
      context.emit(coinReceived(this.#ports.addresses.toText(to), coinsToString(coins)));
  }

  /** Nearly every account has nothing locked: then nothing else is read. */
  #requireUnlocked(context: Context, from: Address, coins: Coins): void {
    const locked = this.#ports.accounts.locked(context, from);
    if (locked.length === 0) return;
    requireValid(coins);
    for (const coin of coins) {
      const { denom } = coin;
      const held = amountOf(locked, denom);
      const balance = this.balance(context, from, denom);
      if (held > balance)
        throw new StateError(
          sdkErrors.insufficientFunds,
          `locked amount exceeds account balance funds: ${held}${denom} > ${balance}${denom}`,
        );
      if (balance - held < coin.amount)
        throw new StateError(
          sdkErrors.insufficientFunds,
          `spendable balance ${balance - held}${denom} is smaller than ${coinToString(coin)}`,
        );
    }
  }

  #subtract(context: Context, from: Address, coins: Coins): void {
    const { balances } = this.#state;
    for (const coin of coins) {
      const { denom, amount } = coin;
      const key = [from, denom] as const;
      const at = balances.map.locate(key);
      const balance = balances.map.getAt(context, at);
      const rest = (balance ?? 0n) - amount;
      if (rest < 0n)
        throw new StateError(
          sdkErrors.insufficientFunds,
          `spendable balance ${coinToString({ denom, amount: balance ?? 0n })} is smaller than ${coinToString(coin)}`,
        );
      if (rest === 0n) balances.remove(context, key);
      else balances.replaceAt(context, at, { key, from: balance, to: rest });
    }
  }

  #add(context: Context, to: Address, coins: Coins): void {
    const { balances } = this.#state;
    for (const { denom, amount } of coins) {
      const key = [to, denom] as const;
      const at = balances.map.locate(key);
      const balance = balances.map.getAt(context, at);
      balances.replaceAt(context, at, { key, from: balance, to: (balance ?? 0n) + amount });
    }
  }

  /** Whoever receives coins gets an account. */
  ensureAccount(context: Context, address: Address): void {
    const { accounts } = this.#ports;
    if (!accounts.has(context, address)) accounts.create(context, address);
  }

  /** Whom a transfer reaches. @throws StateError when a restriction refuses it */
  recipientOf(context: ReadContext, transfer: Transfer): Address {
    let { to } = transfer;
    for (const restrict of this.#ports.sendRestrictions) to = restrict(context, { ...transfer, to });
    return to;
  }

  /**
   * Accounts of modules are there from genesis on: only other recipients may need one.
   * @returns whom it reached
   */
  #move(context: Context, transfer: Transfer): Address {
    const { from, coins } = transfer;
    requireValid(coins);
    this.#subtract(context, from, coins);
    const to = this.recipientOf(context, transfer);
    if (to !== transfer.to) this.ensureAccount(context, to);
    this.#add(context, to, coins);
    if (context.recordsEvents) this.#tellTransfer(context, { from, to, coins });
    return to;
  }

  #tellTransfer(context: Context, { from, to, coins }: Transfer): void {
    const { addresses } = this.#ports;
    const sender = addresses.toText(from);
    const recipient = addresses.toText(to);
    const amount = coinsToString(coins);
    context.emit(
      coinSpent(sender, amount),
      coinReceived(recipient, amount),
      transferred({ recipient, sender, amount }),
      messageSender(sender),
    );
  }

  #module(name: string): Address {
    const address = this.#modules.get(name);
    assert(address !== undefined, `module account ${name} is not declared`);
    return address;
  }

  #moduleWith(name: string, permission: ModulePermission): Address {
    const spec = this.#ports.accounts.moduleAccounts.get(name);
    assert(spec?.permissions.includes(permission) === true, `module ${name} has no permission ${permission}`);
    return this.#module(name);
  }
}

function requireValid(coins: Coins): void {
  if (problemOfCoins(coins) !== undefined) throw new StateError(sdkErrors.invalidCoins, coinsToString(coins));
}
