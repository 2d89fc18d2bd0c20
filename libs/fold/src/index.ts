/** The exactly-once engine. */
export * from './port.ts';
