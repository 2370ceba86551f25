import { CloudError, type Clock } from '@nubo/kernel'
import type { Caller } from './caller.js'

/** What is no longer good, as a store tells it. */
export interface Revocations {
  auditIds: ReadonlySet<string>
  /** By subject (see `subjectsOf`): tokens issued before this wall-clock time, in ms, are no longer good. */
  notBeforeMs: ReadonlyMap<string, number>
}

export interface RevocationSource {
  load(): Promise<Revocations>
}

/** The kinds of subject that a 'not before' mark can stand for, and the key of each. */
export const revocationSubject = {
  user: (userId: string) => `user:${userId}`,
  project: (projectId: string) => `project:${projectId}`,
  domain: (domainId: string) => `domain:${domainId}`,
  /** A user's roles on one target. */
  assignment: (userId: string, targetKind: string, targetId: string) => `assignment:${userId}@${targetKind}:${targetId}`,
} as const

/** Every subject whose mark ends this caller's token. */
export function subjectsOf(caller: Caller): string[] {
  const { scope, userId } = caller
  const subjects = [revocationSubject.user(userId), revocationSubject.domain(caller.userDomainId)]
  if (scope.kind === 'project')
    subjects.push(
      revocationSubject.project(scope.projectId),
      revocationSubject.domain(scope.projectDomainId),
      revocationSubject.assignment(userId, 'project', scope.projectId),
    )
  if (scope.kind === 'domain')
    subjects.push(revocationSubject.domain(scope.domainId), revocationSubject.assignment(userId, 'domain', scope.domainId))
  if (scope.kind === 'system') subjects.push(revocationSubject.assignment(userId, 'system', 'all'))
  return subjects
}

/** Tokens stay good for at most this long after they were revoked elsewhere. */
const freshMs = 2_000
/** How long the last known revocations still count when their source cannot be reached; then every token is refused. */
const usableMs = 30_000

/** The revocations as of at most two seconds ago; asks the source only while tokens are being checked. */
export class RevocationList {
  private revocations: Revocations | undefined
  private loadedAtMs = -Infinity
  private loading: Promise<void> | undefined
  /** Raised by `forget`: an answer that was asked for before it does not count as fresh. */
  private generation = 0

  constructor(
    private readonly source: RevocationSource,
    private readonly clock: Clock,
  ) {}

  /** The revocations where they are fresh; else undefined: `refresh` first. */
  fresh(): Revocations | undefined {
    return this.revocations && this.clock.monotonicMs() - this.loadedAtMs < freshMs ? this.revocations : undefined
  }

  /** Loads them anew, once for all who wait. Throws Unavailable when they are unknown for too long. */
  async refresh(): Promise<Revocations> {
    try {
      await (this.loading ??= this.load())
    } catch (cause) {
      if (!this.revocations || this.clock.monotonicMs() - this.loadedAtMs > usableMs)
        throw new CloudError('Unavailable', 'Tokens cannot be checked right now.', { cause })
    }
    return this.revocations!
  }

  /** Forgets what is known, so that a revocation made by this very process counts at once. */
  forget(): void {
    this.generation++
    this.loadedAtMs = -Infinity
    this.loading = undefined
  }

  private async load(): Promise<void> {
    const { generation } = this
    const askedAtMs = this.clock.monotonicMs()
    try {
      const loaded = await this.source.load()
      if (generation !== this.generation) return this.load()
      this.revocations = loaded
      this.loadedAtMs = askedAtMs
    } finally {
      if (generation === this.generation) this.loading = undefined
    }
  }
}
