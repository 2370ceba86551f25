import { expect, it } from '@jest/globals'
import type { Clock, DomainId, ProjectId, UserId } from '@nubo/kernel'
import { systemClock } from '@nubo/kernel'
import fc from 'fast-check'
import type { Caller, Scope } from './caller.js'
import { RevocationList, revocationSubject, type Revocations } from './revocations.js'
import { generateTokenKeys, publicTokenKey, TokenSigner, TokenVerifier } from './tokens.js'

const keys = generateTokenKeys()
const signer = new TokenSigner(keys.privateKeyPem)

let nowMs = 1_000_000
const clock: Clock = { ...systemClock, now: () => new Date(nowMs), monotonicMs: () => nowMs }

const project: Scope = {
  kind: 'project',
  projectId: 'p1' as ProjectId,
  projectName: 'demo',
  projectDomainId: 'd2' as DomainId,
}
const scopes: Scope[] = [project, { kind: 'domain', domainId: 'd3' as DomainId }, { kind: 'system' }, { kind: 'unscoped' }]

const caller = (changes: Partial<Caller> = {}): Caller => ({
  userId: 'u1' as UserId,
  userName: 'ada',
  userDomainId: 'd1' as DomainId,
  scope: project,
  roles: ['member', 'reader'],
  methods: ['password'],
  auditId: 'audit-1',
  parentAuditId: undefined,
  issuedAtMs: nowMs,
  expiresAtMs: nowMs + 60_000,
  ...changes,
})

function verifierWith(marks: [subject: string, notBeforeMs: number][] = []) {
  const state = { auditIds: new Set<string>(), notBeforeMs: new Map(marks) }
  let loads = 0
  const load = async () => {
    loads++
    return { auditIds: new Set(state.auditIds), notBeforeMs: new Map(state.notBeforeMs) }
  }
  const list = new RevocationList({ load }, clock)
  return { verifier: new TokenVerifier(publicTokenKey(keys.publicKeyPem), list, clock), list, state, loads: () => loads }
}

it.each(scopes)('says again what was signed, with scope %j', async (scope) => {
  const { verifier } = verifierWith()
  for (const original of [caller({ scope }), caller({ scope, parentAuditId: 'audit-0', issuedAtMs: 1_234_567_890_123 })]) {
    const token = await signer.sign({ ...original, expiresAtMs: nowMs + 1 })
    expect(await verifier.verify(token)).toEqual({ ...original, expiresAtMs: nowMs + 1 })
  }
})

it('answers at once for a token it has seen, from the same turn of the event loop', async () => {
  const { verifier } = verifierWith()
  const token = await signer.sign(caller())
  await verifier.verify(token)
  expect(verifier.verify(token)).not.toBeInstanceOf(Promise)
})

it('fits into a header with the longest names', async () => {
  const name = '🂡'.repeat(255)
  const token = await signer.sign(caller({ userName: name, scope: { ...project, projectName: '字'.repeat(64) } as Scope }))
  expect(token.length).toBeLessThan(4_096)
  const { verifier } = verifierWith()
  expect((await verifier.verify(token)).userName).toBe(name)
})

it('refuses whatever is not exactly what was signed', async () => {
  const token = await signer.sign(caller())
  const { verifier } = verifierWith()
  const [header, payload, signature] = token.split('.') as [string, string, string]
  const raised = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(payload, 'base64url').toString()), rol: ['admin'] }))
  const unsigned = Buffer.from(JSON.stringify({ alg: 'none', typ: 'nubo-token' })).toString('base64url')
  const otherKey = new TokenSigner(generateTokenKeys().privateKeyPem)
  const forged = [
    `${header}.${raised.toString('base64url')}.${signature}`,
    `${unsigned}.${payload}.`,
    `${header}.${payload}.`,
    await otherKey.sign(caller()),
    'x'.repeat(10_000),
    'gAAAAABkeystone-fernet',
    '..',
  ]
  for (const text of forged) await expect(verifier.verify(text)).rejects.toMatchObject({ kind: 'Unauthenticated' })
})

it('refuses any text without failing otherwise', async () => {
  const { verifier } = verifierWith()
  await fc.assert(
    fc.asyncProperty(fc.string(), async (text) => {
      await expect(verifier.verify(text)).rejects.toMatchObject({ kind: 'Unauthenticated' })
    }),
  )
})

it('refuses a signed text that is no token of ours', async () => {
  const { CompactSign } = await import('jose')
  const { createPrivateKey } = await import('node:crypto')
  const other = await new CompactSign(Buffer.from(JSON.stringify({ sub: 'u1' })))
    .setProtectedHeader({ alg: 'EdDSA', typ: 'nubo-image-credential' })
    .sign(createPrivateKey(keys.privateKeyPem))
  await expect(verifierWith().verifier.verify(other)).rejects.toMatchObject({ kind: 'Unauthenticated' })
})

it('ends with its time, also when it is known', async () => {
  const { verifier } = verifierWith()
  const token = await signer.sign(caller({ expiresAtMs: nowMs + 1_000 }))
  await verifier.verify(token)
  nowMs += 999
  expect(() => verifier.verify(token)).not.toThrow()
  nowMs += 1
  expect(() => verifier.verify(token)).toThrow(expect.objectContaining({ kind: 'Unauthenticated' }))
})

it('learns of a revocation within two seconds, and at once when told to look', async () => {
  const { verifier, state, list } = verifierWith()
  const token = await signer.sign(caller())
  await verifier.verify(token)
  state.auditIds.add('audit-1')
  nowMs += 1_999
  await verifier.verify(token)
  nowMs += 1
  await expect(verifier.verify(token)).rejects.toMatchObject({ kind: 'Unauthenticated' })

  const other = await signer.sign(caller({ auditId: 'audit-2' }))
  await verifier.verify(other)
  state.auditIds.add('audit-2')
  list.forget()
  await expect(verifier.verify(other)).rejects.toMatchObject({ kind: 'Unauthenticated' })
})

it.each([
  ['the user', scopes[0]!, revocationSubject.user('u1')],
  ["the user's domain", scopes[0]!, revocationSubject.domain('d1')],
  ['the project', scopes[0]!, revocationSubject.project('p1')],
  ["the project's domain", scopes[0]!, revocationSubject.domain('d2')],
  ["the user's roles on the project", scopes[0]!, revocationSubject.assignment('u1', 'project', 'p1')],
  ['the domain', scopes[1]!, revocationSubject.domain('d3')],
  ["the user's roles on the domain", scopes[1]!, revocationSubject.assignment('u1', 'domain', 'd3')],
  ["the user's roles on the system", scopes[2]!, revocationSubject.assignment('u1', 'system', 'all')],
])('a mark on %s ends older tokens and leaves newer ones', async (_name, scope, subject) => {
  const { verifier } = verifierWith([[subject, nowMs]])
  const issued = (issuedAtMs: number) => signer.sign(caller({ scope, issuedAtMs, expiresAtMs: nowMs + 60_000 }))
  await expect(verifier.verify(await issued(nowMs - 1))).rejects.toMatchObject({ kind: 'Unauthenticated' })
  await expect(verifier.verify(await issued(nowMs))).resolves.toBeDefined()
})

it('leaves tokens of others alone', async () => {
  const others = [
    revocationSubject.user('u2'),
    revocationSubject.project('p2'),
    revocationSubject.assignment('u1', 'project', 'p2'),
    revocationSubject.assignment('u2', 'project', 'p1'),
  ]
  const { verifier } = verifierWith(others.map((subject) => [subject, nowMs + 1_000]))
  await expect(verifier.verify(await signer.sign(caller()))).resolves.toBeDefined()
})

it('asks for revocations once for all who wait, and not at all while nobody asks', async () => {
  const { verifier, loads } = verifierWith()
  const token = await signer.sign(caller())
  await Promise.all(Array.from({ length: 20 }, () => verifier.verify(token)))
  expect(loads()).toBe(1)
  nowMs += 60_000_000
  expect(loads()).toBe(1)
})

it('goes on for a while when revocations cannot be read, then refuses all with Unavailable', async () => {
  let broken = false
  const source = {
    load: async () => {
      if (broken) throw new Error('no database')
      return { auditIds: new Set<string>(), notBeforeMs: new Map<string, number>() }
    },
  }
  const verifier = new TokenVerifier(publicTokenKey(keys.publicKeyPem), new RevocationList(source, clock), clock)
  const token = await signer.sign(caller({ expiresAtMs: nowMs + 600_000 }))
  await verifier.verify(token)
  broken = true
  nowMs += 29_000
  await expect(verifier.verify(token)).resolves.toBeDefined()
  nowMs += 2_000
  await expect(verifier.verify(token)).rejects.toMatchObject({ kind: 'Unavailable' })
})

it('does not take an answer that was asked for before a revocation for a fresh one', async () => {
  const answers: ((revocations: Revocations) => void)[] = []
  const list = new RevocationList({ load: () => new Promise((resolve) => answers.push(resolve)) }, clock)
  const empty = { auditIds: new Set<string>(), notBeforeMs: new Map<string, number>() }
  const first = list.refresh()
  list.forget()
  answers[0]!(empty)
  await new Promise((resolve) => setImmediate(resolve))
  expect(list.fresh()).toBeUndefined()
  expect(answers).toHaveLength(2)
  const current = { ...empty, auditIds: new Set(['audit-1']) }
  answers[1]!(current)
  expect(await first).toBe(current)
  expect(list.fresh()).toBe(current)
})

it('takes no key but Ed25519', async () => {
  const { generateKeyPairSync } = await import('node:crypto')
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  expect(() => new TokenSigner(rsa)).toThrow('Ed25519')
  expect(() => publicTokenKey(rsa)).toThrow('Ed25519')
})
