/** `migrate`: brings the database up to date, where services are not given the owner of its tables. */
import { variable } from '../../env.ts';
import { SCHEMAS } from '../../schemas.ts';
import { parse } from '../arguments.ts';
import type { Command } from '../command.ts';
import { CliError } from '../errors.ts';

export const migrate: Command = {
  name: 'migrate',
  summary: 'Bring the database up to date, as the owner of its tables',
  usage: `

MIGRATION_DATABASE_URL (or DATABASE_URL) is its login. Run it before services of a new version start; those of the old one go on meanwhile.`,
  async run(args, context) {
    parse(args, {});
    const url = variable('MIGRATION_DATABASE_URL') ?? variable('DATABASE_URL');
    if (url === undefined)
      throw new CliError('set MIGRATION_DATABASE_URL to the login that owns the tables: postgres://…');
    const [{ migrate: bringUpToDate }, { AppError, createLogger }] = await Promise.all([
      import('@mailstream/db'),
      import('@mailstream/runtime'),
    ]);
    const logger = createLogger('migrate', 'silent');
    try {
      for (const schema of SCHEMAS) {
        const done = await bringUpToDate(url, { ...schema, logger });
        context.out(`${schema.schema}: ${done.length === 0 ? 'up to date' : done.join(', ')}`);
      }
      return 0;
    } catch (error) {
      if (error instanceof AppError) throw new CliError(error.message, { cause: error });
      throw error;
    }
  },
};
