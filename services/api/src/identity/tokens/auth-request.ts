import type { DomainReference, ProjectReference, TokenTarget, UserReference } from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import { z } from 'zod'
import { expected, loginRefused } from '../identity-errors.js'

const domain = z.object({ id: z.string().optional(), name: z.string().optional() })

/** `keystone/auth/schema.py`. */
export const authBody = z.object({
  auth: z
    .object({
      identity: z.looseObject({
        methods: z.array(z.string()).max(16),
        password: z
          .object({
            user: z
              .object({
                id: z.string().optional(),
                name: z.string().optional(),
                password: z.string().optional(),
                domain: domain.optional(),
              })
              .optional(),
          })
          .optional(),
        token: z.object({ id: z.string() }).optional(),
      }),
      scope: z
        .union([
          z.string(),
          z.object({
            project: z.object({ id: z.string().optional(), name: z.string().optional(), domain: domain.optional() }).optional(),
            domain: domain.optional(),
            system: z.object({ all: z.boolean().optional() }).optional(),
            unscoped: z.unknown().optional(),
            'OS-TRUST:trust': z.unknown().optional(),
          }),
        ])
        .optional(),
    })
    .optional(),
})
type Auth = NonNullable<z.output<typeof authBody>['auth']>

/** A request for a token, in terms that leave no doubt. */
export interface AuthRequest {
  /** In the order given, each once. */
  methods: readonly ('password' | 'token')[]
  password: { user: UserReference; password: string } | undefined
  token: string | undefined
  /** What the token is to be scoped to. */
  scope: TokenTarget
}

/** What the body asks for. Errors: 400 in Keystone's words; 401 for a method that there is not. */
export function authRequestOf({ auth }: z.output<typeof authBody>): AuthRequest {
  if (!auth) throw expected('auth', 'request body')
  const methods = methodsOf(auth)
  return {
    methods,
    password: methods.includes('password') ? passwordOf(auth.identity.password) : undefined,
    token: methods.includes('token') ? auth.identity.token!.id : undefined,
    scope: scopeOf(auth.scope),
  }
}

function methodsOf({ identity }: Auth): readonly ('password' | 'token')[] {
  const methods = [...new Set(identity.methods)]
  for (const method of methods) if (identity[method] === undefined) throw expected(method, 'identity')
  if (!methods.every((method) => method === 'password' || method === 'token'))
    throw new CloudError('Unauthenticated', 'Attempted to authenticate with an unsupported method.')
  if (methods.length === 0) throw loginRefused()
  return methods
}

function passwordOf(given: Auth['identity']['password']): AuthRequest['password'] {
  const user = given?.user
  if (!user) throw expected('user', 'password')
  if (user.password === undefined) throw expected('password', 'user')
  if (user.id !== undefined) return { user: { id: user.id }, password: user.password }
  if (user.name === undefined) throw idOrNameMissing('identity/password/user')
  if (!user.domain) throw expected('domain', 'user')
  const domainReference = domainOf(user.domain, 'identity/password/user/domain')
  return { user: { name: user.name, domain: domainReference }, password: user.password }
}

function scopeOf(scope: Auth['scope']): TokenTarget {
  if (scope === undefined) return { kind: 'default' }
  const named = typeof scope === 'string' ? [scope] : Object.keys(scope)
  const kinds = ['system', 'project', 'domain', 'unscoped', 'OS-TRUST:trust'].filter((kind) => named.includes(kind))
  if (kinds.length !== 1) throw expected('system, project, domain, OS-TRUST:trust or unscoped', 'scope')
  if (kinds[0] === 'unscoped') return { kind: 'unscoped' }
  if (typeof scope === 'string') throw expected('system, project, domain, OS-TRUST:trust or unscoped', 'scope')
  if (scope.system) return { kind: 'system' }
  if (scope.domain) return { kind: 'domain', domain: domainOf(scope.domain, 'scope/domain') }
  if (scope.project) return { kind: 'project', project: projectOf(scope.project) }
  throw new CloudError('Forbidden', 'Trusts are not supported.')
}

function projectOf(project: { id?: string; name?: string; domain?: z.output<typeof domain> }): ProjectReference {
  if (project.name === undefined) {
    if (project.id === undefined) throw idOrNameMissing('scope/project')
    return { id: project.id }
  }
  // A name goes before an id, as in Keystone.
  if (!project.domain) throw expected('domain', 'project')
  return { name: project.name, domain: domainOf(project.domain, 'scope/project/domain') }
}

function domainOf({ id, name }: z.output<typeof domain>, place: string): DomainReference {
  if (name !== undefined) return { name }
  if (id !== undefined) return { id }
  throw idOrNameMissing(place)
}

const idOrNameMissing = (place: string) =>
  new CloudError('Invalid', `Invalid input for field ${place}: id or name must be present.`)
