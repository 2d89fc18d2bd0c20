/** The bus. */
export { type BusOptions, connectBus } from './connect.ts';
export { BusError, type BusErrorCode, BusUnsureError } from './errors.ts';
export { createFindApiKey } from './find-api-key.ts';
export { createUserKey } from './permissions/keys.ts';
export {
  accountsConfig,
  type NatsUser,
  SERVICE_USERS,
  type ServiceUser,
} from './permissions/server-config.ts';
export * from './port.ts';
export { traceOf } from './trace.ts';
