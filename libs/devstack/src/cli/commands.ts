/** All commands, and finding the one that was meant. */
import type { Command } from './command.ts';
import { accountAddGoogle } from './commands/account-add-google.ts';
import { accountAddImap } from './commands/account-add-imap.ts';
import { accountAddMicrosoft } from './commands/account-add-microsoft.ts';
import { accountList } from './commands/account-list.ts';
import { accountPause, accountResume } from './commands/account-pause.ts';
import { accountReconnect } from './commands/account-reconnect.ts';
import { accountRemove } from './commands/account-remove.ts';
import { apiKeyCreate, apiKeyList, apiKeyRevoke } from './commands/api-key.ts';
import { audit } from './commands/audit.ts';
import { changes } from './commands/changes.ts';
import { doctor } from './commands/doctor.ts';
import { history } from './commands/history.ts';
import { keysRotate, keysStatus } from './commands/keys.ts';
import { messages } from './commands/messages.ts';
import { migrate } from './commands/migrate.ts';
import { natsConfig } from './commands/nats-config.ts';
import { natsUserAdd, natsUserRemove } from './commands/nats-user.ts';
import { parkedDrop, parkedList, parkedRetry, parkedShow } from './commands/parked.ts';
import { rebuild } from './commands/rebuild.ts';
import { replay } from './commands/replay.ts';
import { status } from './commands/status.ts';
import { sync } from './commands/sync.ts';
import { token } from './commands/token.ts';
import {
  webhookAdd,
  webhookList,
  webhookRemove,
  webhookReplay,
  webhookResume,
  webhookRotate,
} from './commands/webhook.ts';
import { UsageError } from './errors.ts';

export const COMMANDS: readonly Command[] = [
  accountAddImap,
  accountAddMicrosoft,
  accountAddGoogle,
  accountReconnect,
  accountList,
  accountPause,
  accountResume,
  accountRemove,
  messages,
  history,
  changes,
  sync,
  status,
  doctor,
  parkedList,
  parkedShow,
  parkedRetry,
  parkedDrop,
  rebuild,
  replay,
  keysStatus,
  keysRotate,
  apiKeyCreate,
  apiKeyList,
  apiKeyRevoke,
  webhookAdd,
  webhookList,
  webhookRemove,
  webhookRotate,
  webhookReplay,
  webhookResume,
  token,
  migrate,
  natsConfig,
  natsUserAdd,
  natsUserRemove,
  audit,
];

/** The command that `args` begin with, and what is left of them. Throws `UsageError` naming what could have been meant. */
export function findCommand(args: readonly string[]): { command: Command; rest: readonly string[] } {
  for (const command of COMMANDS) {
    const words = command.name.split(' ');
    if (words.every((word, i) => args[i] === word)) return { command, rest: args.slice(words.length) };
  }
  const [first = ''] = args;
  const family = COMMANDS.map((command) => command.name).filter((name) => name.startsWith(`${first} `));
  throw new UsageError(
    family.length > 0
      ? `"${args.slice(0, 2).join(' ')}" is not a command; there is ${family.map((name) => `"${name}"`).join(', ')}`
      : `"${first}" is not a command`,
  );
}
