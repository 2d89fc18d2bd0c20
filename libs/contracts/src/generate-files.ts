/** The published contract as files: one JSON Schema and one page per event type, a schema per job, and the AsyncAPI document that ties them to subjects. */
import type { TSchema } from 'typebox';
import { CATALOG } from './catalog.ts';
import { envelopeSchema } from './envelope.ts';
import { asyncApiDocument } from './generate-asyncapi.ts';
import { eventPages } from './generate-pages.ts';
import {
  CredentialsReply,
  CredentialsRequest,
  DeadLetter,
  FetchJob,
  FetchReport,
  WatchLease,
} from './jobs.ts';
import { PushTargets, SubscriptionJob, SubscriptionReport } from './push.ts';

const JOBS = {
  CredentialsReply,
  CredentialsRequest,
  DeadLetter,
  FetchJob,
  FetchReport,
  PushTargets,
  SubscriptionJob,
  SubscriptionReport,
  WatchLease,
};

/** Every generated file: its path below `libs/contracts/generated` and its text. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const { type, data, summary } of CATALOG)
    files.set(`schemas/${type}.json`, schemaFile(summary, envelopeSchema(type, data)));
  for (const [name, schema] of Object.entries(JOBS))
    files.set(`schemas/jobs/${name}.json`, schemaFile(`${name}, between the services.`, schema));
  for (const [path, text] of eventPages()) files.set(path, text);
  files.set('asyncapi.json', json(asyncApiDocument()));
  return files;
}

function schemaFile(title: string, schema: TSchema): string {
  return json({ $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...schema });
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
