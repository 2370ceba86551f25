import type { Database, Queryable, Transaction } from '../connection.js'

/**
 * Held shared by whoever issues a token, from before it reads the user and the roles until it has its time of issue; held
 * alone by whoever takes something away. So a token that was made from what is taken away is always older than the mark.
 */
const revocationLock = 72_707_401

/** Reads what a token is made from, its time of issue included. */
export const readForIssue = <T>(database: Database, read: (db: Queryable) => Promise<T>): Promise<T> =>
  database.readSharing(revocationLock, read)

export const lockForRevocation = (tx: Transaction): Promise<number> =>
  tx.execute('SELECT pg_advisory_xact_lock($1)', [revocationLock])

/** What a mark stands for: a user, a project, a domain, or ('user@kind:target') a user's roles on one target. */
export type RevocationKind = 'user' | 'project' | 'domain' | 'assignment'

/** Longer than any token lives: marks and revoked tokens are of no use after it. */
const retention = "interval '2 days'"

/** Ends every token of `subjectId` that was issued until now. The transaction holds `lockForRevocation`. */
export async function markRevoked(tx: Transaction, kind: RevocationKind, subjectId: string): Promise<void> {
  // Tokens carry whole milliseconds: the mark is the next one.
  await tx.execute(
    `INSERT INTO revocation_marks (subject_kind, subject_id, not_before)
     VALUES ($1, $2, date_trunc('milliseconds', clock_timestamp()) + interval '1 millisecond')
     ON CONFLICT (subject_kind, subject_id) DO UPDATE SET not_before = excluded.not_before`,
    [kind, subjectId],
  )
  await tx.execute(`DELETE FROM revocation_marks WHERE not_before < clock_timestamp() - ${retention}`)
}

export const markAssignmentRevoked = (tx: Transaction, userId: string, targetKind: string, targetId: string): Promise<void> =>
  markRevoked(tx, 'assignment', `${userId}@${targetKind}:${targetId}`)

/** Ends one token. */
export async function revokeToken(db: Queryable, auditId: string, expiresAt: Date): Promise<void> {
  await db.execute(
    `INSERT INTO revoked_tokens (audit_id, expires_at) VALUES ($1, $2)
     ON CONFLICT (audit_id) DO UPDATE SET expires_at = GREATEST(revoked_tokens.expires_at, excluded.expires_at)`,
    [auditId, expiresAt],
  )
  await db.execute('DELETE FROM revoked_tokens WHERE expires_at < clock_timestamp()')
}

/** What is revoked, in the form that a RevocationList (@nubo/auth) asks for. */
export class DatabaseRevocations {
  constructor(private readonly db: Queryable) {}

  async load(): Promise<{ auditIds: Set<string>; notBeforeMs: Map<string, number> }> {
    const [tokens, marks] = await Promise.all([
      this.db.query<{ audit_id: string }>('SELECT audit_id FROM revoked_tokens WHERE expires_at > clock_timestamp()'),
      this.db.query<{ subject: string; not_before: Date }>(
        `SELECT subject_kind || ':' || subject_id AS subject, not_before FROM revocation_marks`,
      ),
    ])
    return {
      auditIds: new Set(tokens.map((row) => row.audit_id)),
      notBeforeMs: new Map(marks.map((row) => [row.subject, row.not_before.getTime()])),
    }
  }
}
