import { AsyncLocalStorage } from 'node:async_hooks'

/** What the log says of the work at hand. Set once where it is known; every line below carries it. */
export interface LogFields {
  requestId?: string
  /** The id that a client gave its own chain of requests. */
  globalRequestId?: string
  operationId?: string
  projectId?: string
  userId?: string
  serverId?: string
  hostId?: string
}

const storage = new AsyncLocalStorage<LogFields>()

/** The fields of the work at hand; undefined outside of any. */
export const logFields = (): LogFields | undefined => storage.getStore()

/** Runs `work` with `fields` added to those of the work around it: for jobs, timers and anything else that begins work. */
export function withLogFields<T>(fields: LogFields, work: () => T): T {
  return storage.run({ ...storage.getStore(), ...fields }, work)
}

/** Runs `work` under this very record, so that what is added to it later shows in its lines. */
export const enterLogFields = <T>(fields: LogFields, work: () => T): T => storage.run(fields, work)

/** Adds to the fields of the work at hand. */
export function addLogFields(fields: LogFields): void {
  const current = storage.getStore()
  if (current) Object.assign(current, fields)
}
