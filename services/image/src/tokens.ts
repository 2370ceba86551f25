import type { Revocations, RevocationSource } from '@nubo/auth'
import type { Database } from '@nubo/database'

/** The revocations that identity has recorded. Subjects are stored in two parts of `revocationSubject`'s keys. */
export class DatabaseRevocations implements RevocationSource {
  constructor(private readonly db: Database) {}

  async load(): Promise<Revocations> {
    const [tokens, marks] = await Promise.all([
      this.db.query<{ auditId: string }>('SELECT audit_id AS "auditId" FROM revoked_tokens WHERE expires_at > clock_timestamp()'),
      this.db.query<{ subject: string; notBefore: Date }>(
        `SELECT subject_kind || ':' || subject_id AS subject, not_before AS "notBefore" FROM revocation_marks`,
      ),
    ])
    return {
      auditIds: new Set(tokens.map((token) => token.auditId)),
      notBeforeMs: new Map(marks.map((mark) => [mark.subject, mark.notBefore.getTime()])),
    }
  }
}
