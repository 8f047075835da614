/** The typed client of the native modules for CosmJS. */
export { aminoConverters, createAminoTypes, fromAmino, toAmino } from './amino.ts';
export * from './authorizations.ts';
export * from './channels.ts';
export { type Connection, type ConnectOptions, connect, type WalletOptions, walletOf } from './connect.ts';
export * from './content.ts';
export * from './messages.ts';
export * from './queries.ts';
export * from './receipts.ts';
export { complete, createRegistry, generatedType, MESSAGES, registryTypes } from './types.ts';
