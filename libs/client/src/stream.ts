/** The change stream as it is stored, for those who pass it on. */
export { filtersOf, type Selection } from './change.ts';
export { ChangesLostError, checkKept, type Position, positionAfter, positionFor } from './position.ts';
export { type TailBus, tailStored } from './tail.ts';
