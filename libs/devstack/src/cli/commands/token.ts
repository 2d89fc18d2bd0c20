/** `token`: signs a token for the API, where there is no identity provider to do it. */
import { existsSync, readFileSync } from 'node:fs';
import { isToken } from '@mailstream/contracts';
import { variable } from '../../env.ts';
import { tokenKeyFile } from '../../paths.ts';
import { parse, wholeNumber } from '../arguments.ts';
import type { Command } from '../command.ts';
import { CliError, UsageError } from '../errors.ts';
import { readScopes, SCOPES_USAGE } from '../scopes.ts';

const HOUR_MS = 3_600_000;

export const token: Command = {
  name: 'token',
  summary: 'Sign a token for the API with the secret of this installation',
  usage: `--scopes <list> [options]

The secret is the one that the services have: MAILSTREAM_JWT_KEY or the file in MAILSTREAM_JWT_KEY_FILE, else that of \`npm start\`.
Tokens cannot be taken back before they end; \`api-key create\` makes keys that can.

  ${SCOPES_USAGE}
  --tenant <name>   default: default
  --subject <name>  who it is for; default: operator
  --hours <n>       how long it lasts; default 1`,
  async run(args, context) {
    const { values } = parse(args, {
      scopes: { type: 'string' },
      tenant: { type: 'string', default: 'default' },
      subject: { type: 'string', default: 'operator' },
      hours: { type: 'string', default: '1' },
    });
    const { tenant, subject } = values;
    if (!isToken(tenant))
      throw new UsageError('--tenant must be letters, digits, _ and -, at most 64 of them');
    const principal = { tenant, subject, scopes: readScopes(values.scopes) };
    const hours = wholeNumber('hours', values.hours, { min: 1, max: 10_000 });
    const secret = readSecret();
    const { AppError, signToken } = await import('@mailstream/runtime');
    try {
      context.out(await signToken(secret, principal, new Date(Date.now() + hours * HOUR_MS)));
      return 0;
    } catch (error) {
      if (error instanceof AppError) throw new CliError(error.message, { cause: error });
      throw error;
    }
  },
};

function readSecret(): string {
  const given = variable('MAILSTREAM_JWT_KEY');
  if (given !== undefined) return given;
  const file = variable('MAILSTREAM_JWT_KEY_FILE') ?? tokenKeyFile();
  if (!existsSync(file))
    throw new CliError(
      `there is no secret to sign with at ${file}: set MAILSTREAM_JWT_KEY_FILE to that of the services`,
    );
  return readFileSync(file, 'utf8');
}
