/** The database kit. */
export * from './port.ts';
