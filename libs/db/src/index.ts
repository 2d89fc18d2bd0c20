/** The database kit: the only importer of pg. */
export * from './create-db.ts';
export * from './errors.ts';
export * from './migrate.ts';
export * from './port.ts';
