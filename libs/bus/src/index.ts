/** The bus. */
export { type BusOptions, connectBus } from './connect.ts';
export { BusError, type BusErrorCode, BusUnsureError } from './errors.ts';
export { createFindApiKey } from './find-api-key.ts';
export * from './port.ts';
