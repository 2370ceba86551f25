import { microsecondsTimestamp } from '@nubo/wire'
import { catalogView, type Catalog } from '../catalog/catalog.js'
import type { TokenDetails } from './token-issuer.js'

/** The body of a token (`keystone/common/render_token.py`); without a scope there are neither roles nor a catalog. */
export function tokenView({ caller, user, project, domain, roles }: TokenDetails, catalog: Catalog | undefined) {
  const { scope, methods, auditId, parentAuditId, issuedAtMs, expiresAtMs } = caller
  return {
    token: {
      methods,
      user: { ...user, password_expires_at: null },
      audit_ids: parentAuditId === undefined ? [auditId] : [auditId, parentAuditId],
      expires_at: microsecondsTimestamp(new Date(expiresAtMs)),
      issued_at: microsecondsTimestamp(new Date(issuedAtMs)),
      ...(project && { project, is_domain: false }),
      ...(domain && { domain }),
      ...(scope.kind === 'system' && { system: { all: true } }),
      ...(scope.kind !== 'unscoped' && { roles, ...(catalog && { catalog: catalogView(catalog) }) }),
    },
  }
}
