/** Mail providers to test against. */
export {
  adjust,
  type Behaviour,
  type BehaviourChange,
  chaos,
  type DeltaBehaviour,
  type GmailBehaviour,
  type NotificationBehaviour,
  type PushBehaviour,
  plain,
  type QuotaBehaviour,
  quotaProfile,
  type ThrottleBehaviour,
  type TokenVariant,
} from './behaviour.ts';
export type { TrueFolder, TrueMessage } from './control/actions.ts';
export type { Control, MicrosoftControl, NewMailbox } from './control/control.ts';
export type { GoogleControl } from './control/google.ts';
export type { MailControl, Selected } from './control/mail.ts';
export type { ScriptedFailure } from './entra/app.ts';
export type { Client } from './entra/authorize.ts';
export { knownFailures } from './entra/failures.ts';
export type { GoogleClient } from './gmail/accounts.ts';
export type { Spending } from './gmail/quota.ts';
export type { GoogleFailure } from './google/failures.ts';
export type { ServiceAccount } from './google/service-account.ts';
export { createDevCa, type DevCa } from './http/dev-ca.ts';
export type { Fault, FaultPlan, FaultRates } from './http/faults.ts';
export type { LoggedRequest } from './http/request-log.ts';
export {
  createSimulator,
  DEMO_CLIENT,
  DEMO_GOOGLE_CLIENT,
  type Simulator,
  type SimulatorOptions,
} from './simulator.ts';
