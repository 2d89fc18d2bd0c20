/** The bus. */
export * from './port.ts';
