import type { ProcessIdentity } from '../process/identity.js'

/** A service as the supervisor is asked to keep it. */
export interface ServiceSpecification {
  name: string
  command: string
  args: string[]
  workingDirectory: string
  /** Unix ids to run as; root where absent. */
  runAs?: { uid: number; gid: number }
  environment: Record<string, string>
  /** What the service prints is added to this file. */
  logFile: string
  stopSignal: 'SIGTERM' | 'SIGINT'
  stopGraceMs: number
  /** Names everything that the service was started from; another fingerprint means a restart. */
  fingerprint: string
}

/** A service as the supervisor sees it. */
export interface ServiceStatus {
  name: string
  state: 'running' | 'waiting' | 'stopped'
  process?: ProcessIdentity
  /** How often it ended without having been asked to, since the supervisor began. */
  unexpectedEnds: number
  /** How it ended last, such as `code 1` or `SIGKILL`. */
  lastEnd?: string
}

/** What the supervisor keeps on disk, so that the next one finds what this one started. */
export interface SupervisorRecord {
  services: { specification: ServiceSpecification; process?: ProcessIdentity }[]
}

/** One request a connection: a line of JSON, answered by a line of JSON. */
export type SupervisorRequest =
  | { verb: 'ensure'; service: ServiceSpecification }
  | { verb: 'restart'; name: string }
  | { verb: 'stop'; name: string }
  | { verb: 'status' }
  /** Ends every service, last started first, and then the supervisor. */
  | { verb: 'shutDown' }
  /** Ends the supervisor alone; its services go on and the next supervisor takes them over. */
  | { verb: 'leave' }

export type SupervisorAnswer = { ok: true; services: ServiceStatus[] } | { ok: false; error: string }
