import { CloudError } from '@nubo/kernel'

// Keystone's words (`keystone/exception.py`).

export type IdentityKind = 'project' | 'user' | 'role' | 'domain' | 'service' | 'endpoint' | 'region'

/** 404 'Could not find project: x.' */
export const notFound = (kind: IdentityKind, id: string) => new CloudError('NotFound', `Could not find ${kind}: ${id}.`)

/** The one answer to whatever is wrong with a login, so that it tells nobody what was. */
export const loginRefused = () => new CloudError('Unauthenticated', 'The request you have made requires authentication.')

/** 400 of a request that lacks what it needs. */
export const expected = (attribute: string, target: string) =>
  new CloudError(
    'Invalid',
    `Expecting to find ${attribute} in ${target}. The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.`,
  )

/** 409 of a name that is taken. */
export const conflict = (kind: IdentityKind, details: string) =>
  new CloudError('Conflict', `Conflict occurred attempting to store ${kind} - ${details}.`)

export const duplicateName = (kind: IdentityKind, name: string, domainId?: string) =>
  conflict(kind, `Duplicate entry found with name ${name}${domainId === undefined ? '' : ` at domain ID ${domainId}`}`)

export const forbidden = (message: string) => new CloudError('Forbidden', message)
