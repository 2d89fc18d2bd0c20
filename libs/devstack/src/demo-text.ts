/** The people, words and folders that demo mail is made of. */

export const OWNER = { name: 'Ada Demo', address: 'ada@mailstream.example' };

export const PEOPLE = [
  { name: 'Zoë Müller', address: 'zoe.mueller@nordwind.example' },
  { name: 'José Núñez', address: 'jose@taller-nunez.example' },
  { name: '山田 太郎', address: 'taro.yamada@sakura.example' },
  { name: 'Олена Шевченко', address: 'olena@kyiv-design.example' },
  { name: 'O\'Brien, "Pat"', address: 'pat.obrien@harbour.example' },
  { name: 'Grace Hopper', address: 'grace@compilers.example' },
  { name: 'Łukasz Wójcik', address: 'lukasz@wojcik.example' },
  { name: 'नेहा शर्मा', address: 'neha@sharma.example' },
  { name: 'Build Server', address: 'ci@builds.example' },
  { name: '', address: 'no-reply@parcels.example' },
] as const;

export const TOPICS = [
  'Quarterly numbers',
  'Wrocław offsite – travel plan',
  'Build failed on main',
  'Your parcel is on its way',
  'Angebot für die Küche',
  'Review of the sync design',
  '会議の議事録',
  'Invoice 2025-118',
  'Lunch on Friday? 🍜',
  'Renewal of the domain',
  'Draft of the contract',
  'Pictures from the weekend',
] as const;

export const SENTENCES = [
  'Here is what we talked about yesterday.',
  'Could you have a look before Thursday?',
  'I moved the meeting to half past ten.',
  'The numbers look better than last month.',
  'Danke für die schnelle Antwort, das hilft uns sehr.',
  'The attached file has the details.',
  'Nothing urgent, just so that you know.',
  'We should decide this together.',
  'ご確認よろしくお願いします。',
  'It works again since the restart.',
] as const;

/** Where mail goes, and which share of it. */
export const FOLDERS = [
  { path: 'INBOX', share: 0.4 },
  { path: 'Archive', share: 0.25 },
  { path: 'Sent', share: 0.12 },
  { path: 'Projects/Mailstream', share: 0.1 },
  { path: 'Newsletters', share: 0.06 },
  { path: 'Büro & Reisen', share: 0.05 },
  { path: 'Trash', share: 0.02 },
] as const;
