import { Inject, Injectable } from '@nestjs/common'
import { enforce, RevocationList, TokenVerifier, type Caller, type Scope } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import { readTokenRecords, revokeToken, type Database, type TokenTarget } from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import { revokeTokenPolicy, validateTokenPolicy } from '../identity.policies.js'
import type { AuthRequest } from './auth-request.js'
import { PasswordLogin } from './password-login.js'
import { detailsOf, TokenIssuer, type Proof, type TokenDetails } from './token-issuer.js'

@Injectable()
export class TokensService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    private readonly login: PasswordLogin,
    private readonly issuer: TokenIssuer,
    private readonly verifier: TokenVerifier,
    private readonly revocations: RevocationList,
  ) {}

  /** Errors: 401 whatever is wrong with the proof or the scope. */
  async issue(request: AuthRequest): Promise<{ token: string; details: TokenDetails }> {
    return this.issuer.issue(await this.prove(request), request.scope)
  }

  private async prove({ methods, password, token }: AuthRequest): Promise<Proof> {
    const user = password && (await this.login.check(password.user, password.password))
    const parent = token === undefined ? undefined : await this.verifier.verify(token)
    // Two proofs that speak of two users prove nothing.
    if (user && parent && user.id !== parent.userId)
      throw new CloudError('Unauthenticated', 'The request you have made requires authentication.')
    return {
      userId: user?.id ?? parent!.userId,
      ...(user && { passwordHash: user.passwordHash }),
      ...(parent && { parent }),
      methods,
    }
  }

  /** What `subject` says. Errors: 404 where it is no good token, 403 where it is another's. */
  async validate(caller: Caller, subject: string | undefined): Promise<TokenDetails> {
    const about = await this.read(subject)
    enforce(validateTokenPolicy, caller, { token_user_id: about.userId })
    return this.describe(about)
  }

  async revoke(caller: Caller, subject: string | undefined): Promise<void> {
    const about = await this.read(subject)
    enforce(revokeTokenPolicy, caller, { token_user_id: about.userId })
    await revokeToken(this.database, about.auditId, new Date(about.expiresAtMs))
    this.revocations.forget()
  }

  private async read(subject: string | undefined): Promise<Caller> {
    if (!subject) throw new CloudError('NotFound', 'No token in the request')
    try {
      return await this.verifier.verify(subject)
    } catch (error) {
      if (error instanceof CloudError && error.kind === 'Unauthenticated')
        throw new CloudError('NotFound', 'Failed to validate token')
      throw error
    }
  }

  private async describe(caller: Caller): Promise<TokenDetails> {
    const records = await readTokenRecords(this.database, caller.userId, targetOf(caller.scope), caller.roles)
    if (!records) throw new CloudError('NotFound', 'Failed to validate token')
    const { user, project, domain, named } = records
    return detailsOf(caller, user, named, project, domain)
  }
}

function targetOf(scope: Scope): TokenTarget {
  switch (scope.kind) {
    case 'project':
      return { kind: 'project', project: { id: scope.projectId } }
    case 'domain':
      return { kind: 'domain', domain: { id: scope.domainId } }
    case 'system':
    case 'unscoped':
      return { kind: scope.kind }
  }
}
