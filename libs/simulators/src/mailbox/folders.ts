/** The folders a new mailbox has. Outlook's are named in the language of their owner; Gmail has but four places for a message. */
import type { Role } from './message.ts';

export type Locale = 'en' | 'nl';

export interface FolderPlan {
  readonly name: string;
  readonly role: Role | null;
  readonly hidden: boolean;
  readonly children: readonly FolderPlan[];
}

/** All but those outside of the tree. */
type PlannedRole = Exclude<Role, 'root' | 'deletions'>;

const NAMES: Record<Locale, Record<PlannedRole, string>> = {
  en: {
    archive: 'Archive',
    conflicts: 'Conflicts',
    deleted: 'Deleted Items',
    drafts: 'Drafts',
    history: 'Conversation History',
    inbox: 'Inbox',
    junk: 'Junk Email',
    'local-failures': 'Local Failures',
    outbox: 'Outbox',
    sent: 'Sent Items',
    'server-failures': 'Server Failures',
    'sync-issues': 'Sync Issues',
  },
  nl: {
    archive: 'Archiveren',
    conflicts: 'Conflicten',
    deleted: 'Verwijderde items',
    drafts: 'Concepten',
    history: 'Gespreksgeschiedenis',
    inbox: 'Postvak IN',
    junk: 'Ongewenste e-mail',
    'local-failures': 'Lokale fouten',
    outbox: 'Postvak UIT',
    sent: 'Verzonden items',
    'server-failures': 'Serverfouten',
    'sync-issues': 'Synchronisatieproblemen',
  },
};

/** User folders of a demonstration mailbox: nested, and more than one page of ten at the top. */
const USER_FOLDERS: readonly FolderPlan[] = [
  plain('Projects', [plain('2026', [plain('Migration')]), plain('2025')]),
  plain('Customers', [plain('Orders')]),
  plain('Invoices'),
  plain('Newsletters'),
];

function plain(name: string, children: readonly FolderPlan[] = []): FolderPlan {
  return { name, role: null, hidden: false, children };
}

/** `without` names roles that were never provisioned in this mailbox. */
export function outlookFolders(locale: Locale, without: readonly Role[], userFolders: boolean): FolderPlan[] {
  const special = (role: PlannedRole, hidden = false, children: readonly FolderPlan[] = []): FolderPlan => ({
    name: NAMES[locale][role],
    role,
    hidden,
    children,
  });
  const roles: FolderPlan[] = [
    special('inbox'),
    special('drafts'),
    special('sent'),
    special('deleted'),
    special('junk'),
    special('archive'),
    special('outbox'),
    special('history', true),
    special('sync-issues', true, [
      special('conflicts', true),
      special('local-failures', true),
      special('server-failures', true),
    ]),
  ];
  const provisioned = roles.filter((plan) => plan.role === null || !without.includes(plan.role));
  return userFolders ? [...provisioned, ...USER_FOLDERS] : provisioned;
}

/** Everything else in a Gmail mailbox is a label; folders without a role are the labels people made. */
export const GMAIL_FOLDERS: readonly FolderPlan[] = (['inbox', 'archive', 'junk', 'deleted'] as const).map(
  (role) => ({ name: role, role, hidden: false, children: [] }),
);
