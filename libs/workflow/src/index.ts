export { Caster, castPlacementHints, type CasterOptions } from './caster.js'
export { composeCommand, type ComposeOptions } from './compose.js'
export {
  firstStepOf,
  operation,
  stepAfter,
  stepBefore,
  type Doer,
  type Effect,
  type OperationDefinition,
  type StepDefinition,
} from './definition.js'
export { OperationEngine, doerOf, type Opened, type Requester } from './engine.js'
export { operations } from './operations/index.js'
export * from './records.js'
export type {
  ClosedStep,
  DueStep,
  NewOperation,
  NewStep,
  OperationEnd,
  OperationStore,
  OperationTransaction,
  SeenPower,
  SeenWithResult,
} from './store.js'
export { Sweeper, type SweeperOptions } from './sweeper.js'
