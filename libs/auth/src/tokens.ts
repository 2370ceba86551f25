import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { CloudError, type Clock, type DomainId, type ProjectId, type UserId } from '@nubo/kernel'
import { CompactSign, compactVerify } from 'jose'
import type { Caller, Scope } from './caller.js'
import { subjectsOf, type RevocationList, type Revocations } from './revocations.js'

const algorithm = 'EdDSA'
const type = 'nubo-token'

/** What is signed. Names are short because a token travels with every request. Times are seconds with a fraction (RFC 7519). */
interface Claims {
  sub: string
  /** Name and domain of the user. */
  usr: [name: string, domainId: string]
  scp: ['p', id: string, name: string, domainId: string] | ['d', id: string] | ['s'] | []
  rol: readonly string[]
  amr: readonly string[]
  /** The audit id, and that of the first token of the chain. */
  jti: string
  par?: string
  iat: number
  exp: number
}

function scopeClaim(scope: Scope): Claims['scp'] {
  switch (scope.kind) {
    case 'project':
      return ['p', scope.projectId, scope.projectName, scope.projectDomainId]
    case 'domain':
      return ['d', scope.domainId]
    case 'system':
      return ['s']
    case 'unscoped':
      return []
  }
}

function scopeOf(claim: Claims['scp']): Scope {
  switch (claim[0]) {
    case 'p':
      return {
        kind: 'project',
        projectId: claim[1] as ProjectId,
        projectName: claim[2],
        projectDomainId: claim[3] as DomainId,
      }
    case 'd':
      return { kind: 'domain', domainId: claim[1] as DomainId }
    case 's':
      return { kind: 'system' }
    default:
      return { kind: 'unscoped' }
  }
}

const callerOf = (claims: Claims): Caller => ({
  userId: claims.sub as UserId,
  userName: claims.usr[0],
  userDomainId: claims.usr[1] as DomainId,
  scope: scopeOf(claims.scp),
  roles: claims.rol,
  methods: claims.amr,
  auditId: claims.jti,
  parentAuditId: claims.par,
  issuedAtMs: Math.round(claims.iat * 1000),
  expiresAtMs: Math.round(claims.exp * 1000),
})

/** A new pair of keys, PEM (PKCS #8 and SPKI): the private one for the api alone, the public one for every service. */
export function generateTokenKeys(): { privateKeyPem: string; publicKeyPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

/** The public key in `pem`, which may hold a private one. Throws where it is no Ed25519 key. */
export function publicTokenKey(pem: string): KeyObject {
  const key = createPublicKey(pem)
  if (key.asymmetricKeyType !== 'ed25519') throw new Error('The token key is no Ed25519 key')
  return key
}

/** Makes tokens: compact JWS with EdDSA (RFC 7515, RFC 8037). Only the api has one. */
export class TokenSigner {
  private readonly key: KeyObject

  constructor(privateKeyPem: string) {
    this.key = createPrivateKey(privateKeyPem)
    if (this.key.asymmetricKeyType !== 'ed25519') throw new Error('The token key is no Ed25519 key')
  }

  sign(caller: Caller): Promise<string> {
    const claims: Claims = {
      sub: caller.userId,
      usr: [caller.userName, caller.userDomainId],
      scp: scopeClaim(caller.scope),
      rol: caller.roles,
      amr: caller.methods,
      jti: caller.auditId,
      ...(caller.parentAuditId !== undefined && { par: caller.parentAuditId }),
      iat: caller.issuedAtMs / 1000,
      exp: caller.expiresAtMs / 1000,
    }
    return new CompactSign(Buffer.from(JSON.stringify(claims))).setProtectedHeader({ alg: algorithm, typ: type }).sign(this.key)
  }
}

interface Verified {
  caller: Caller
  subjects: readonly string[]
}

/** One token of a caller is about 1.5 KB here. */
const cachedTokens = 2_000
/** Far beyond any token of ours: what is longer is refused unread. */
const maxTokenCharacters = 8_192

const unauthenticated = () => new CloudError('Unauthenticated', 'The request you have made requires authentication.')

/** Checks tokens with the public key alone. A token seen before costs a look into a map. */
export class TokenVerifier {
  /** In the order of their last use. */
  private readonly verified = new Map<string, Verified>()

  constructor(
    private readonly publicKey: KeyObject,
    private readonly revocations: RevocationList,
    private readonly clock: Clock,
  ) {}

  /**
   * Who bears `token`. Answers at once where token and revocations are known, so that the common case costs no turn of the
   * event loop. Throws (or rejects with) Unauthenticated for what is forged, expired or revoked.
   */
  verify(token: string): Caller | Promise<Caller> {
    const known = this.verified.get(token)
    const revocations = this.revocations.fresh()
    if (!known || !revocations) return this.verifySlowly(token, known)
    this.verified.delete(token)
    this.verified.set(token, known)
    return this.stillGood(known, revocations)
  }

  private async verifySlowly(token: string, known: Verified | undefined): Promise<Caller> {
    const verified = known ?? (await this.checkSignature(token))
    const caller = this.stillGood(verified, this.revocations.fresh() ?? (await this.revocations.refresh()))
    this.verified.set(token, verified)
    if (this.verified.size > cachedTokens) this.verified.delete(this.verified.keys().next().value!)
    return caller
  }

  private async checkSignature(token: string): Promise<Verified> {
    if (token.length > maxTokenCharacters) throw unauthenticated()
    try {
      const { payload, protectedHeader } = await compactVerify(token, this.publicKey, { algorithms: [algorithm] })
      if (protectedHeader.typ !== type) throw unauthenticated()
      const caller = callerOf(JSON.parse(Buffer.from(payload).toString()) as Claims)
      return { caller, subjects: subjectsOf(caller) }
    } catch {
      throw unauthenticated()
    }
  }

  private stillGood({ caller, subjects }: Verified, revocations: Revocations): Caller {
    if (this.clock.now().getTime() >= caller.expiresAtMs) throw unauthenticated()
    if (revocations.auditIds.size > 0 && revocations.auditIds.has(caller.auditId)) throw unauthenticated()
    if (revocations.notBeforeMs.size > 0)
      for (const subject of subjects) if (caller.issuedAtMs < (revocations.notBeforeMs.get(subject) ?? 0)) throw unauthenticated()
    return caller
  }
}
