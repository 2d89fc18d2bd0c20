/** Mail providers to test against. */
export {
  adjust,
  type Behaviour,
  type BehaviourChange,
  chaos,
  type DeltaBehaviour,
  type NotificationBehaviour,
  plain,
  type ThrottleBehaviour,
} from './behaviour.ts';
export type { Control, NewMailbox } from './control/control.ts';
export type { MailControl, Selected, TrueFolder, TrueMessage } from './control/mail.ts';
export type { ScriptedFailure } from './entra/app.ts';
export type { Client } from './entra/authorize.ts';
export { knownFailures } from './entra/failures.ts';
export { createDevCa, type DevCa } from './http/dev-ca.ts';
export type { Fault, FaultPlan, FaultRates } from './http/faults.ts';
export type { LoggedRequest } from './http/request-log.ts';
export { createSimulator, DEMO_CLIENT, type Simulator, type SimulatorOptions } from './simulator.ts';
