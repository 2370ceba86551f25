/** What every module of the control plane may ask for. */
export const DATABASE = Symbol('database')
export const QUEUE = Symbol('queue')
export const ENGINE = Symbol('operation engine')
export const OPERATION_STORE = Symbol('operation store')
export const CASTER = Symbol('caster')
export const HOST_SEAL = Symbol('what protects messages to and from hosts')
export const HOST_REFUSALS = Symbol('what hosts told and was not believed')
