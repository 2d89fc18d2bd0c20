/** `--scopes`, as the commands that hand them out read it. */
import { isScope, SCOPES, type Scope } from '@mailstream/contracts';
import { UsageError } from './errors.ts';

/** What `--scopes` may say. */
export const SCOPES_USAGE = `--scopes <list>   what it may do, separated by commas, or "all":
                    ${SCOPES.join(', ')}`;

export function readScopes(text: string | undefined): readonly Scope[] {
  if (text === undefined) throw new UsageError('--scopes is missing');
  if (text === 'all') return SCOPES;
  return text.split(',').map((name) => {
    if (isScope(name)) return name;
    throw new UsageError(`"${name}" is not a scope; there is ${SCOPES.join(', ')}`);
  });
}
