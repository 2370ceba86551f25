import { expect, it } from '@jest/globals'
import { seededRandom, systemRandom } from '@nubo/kernel'
import { PasswordHasher } from './passwords.js'

const hasher = new PasswordHasher(systemRandom)

it("hashes in the PHC format at OWASP's parameters, with a salt of its own each time", async () => {
  const [first, second] = await Promise.all([hasher.hash('correct horse'), hasher.hash('correct horse')])
  expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  expect(first).not.toBe(second)
})

it('knows the password of a hash and no other', async () => {
  const hash = await hasher.hash('correct horse')
  expect(await hasher.matches('correct horse', hash)).toBe(true)
  expect(await hasher.matches('correct hors', hash)).toBe(false)
  expect(await hasher.matches('', hash)).toBe(false)
  expect(await hasher.matches('x'.repeat(100_000), hash)).toBe(false)
})

it('agrees with the reference implementation', async () => {
  // A vector of its own tests (phc-winner-argon2, src/test.c).
  const vector = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  expect(await hasher.matches('password', vector)).toBe(true)
})

it('is equal for the same letters typed differently', async () => {
  expect(await hasher.matches('Zoe\u0308', await hasher.hash('Zo\u00eb'))).toBe(true)
})

it('matches nothing where there is no user, and does the work of a hash for it', async () => {
  const hash = await hasher.hash('correct horse')
  // The processor's time, not the clock's, and the least of several: what else the process did meanwhile is not in it.
  const workOf = async (stored: string | undefined) => {
    const times: number[] = []
    for (let time = 0; time < 8; time++) {
      const before = process.cpuUsage()
      expect(await hasher.matches('wrong', stored)).toBe(false)
      const { user, system } = process.cpuUsage(before)
      times.push(user + system)
    }
    return Math.min(...times)
  }
  expect(await workOf(undefined)).toBeGreaterThan((await workOf(hash)) / 3)
})

it('leaves the event loop free meanwhile', async () => {
  let turns = 0
  let done = false
  const hashing = Promise.all([hasher.hash('a'), hasher.hash('b')]).then(() => (done = true))
  while (!done) {
    turns++
    await new Promise((resolve) => setImmediate(resolve))
  }
  await hashing
  expect(turns).toBeGreaterThan(10)
})

it('lets a bounded number wait, and turns the others away', async () => {
  const small = new PasswordHasher(seededRandom(1), { concurrent: 1, waiting: 2 })
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => small.matches('x', undefined)))
  expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'])
  expect(outcomes[4]).toMatchObject({ reason: { kind: 'Unavailable', details: { retryAfterSeconds: 1 } } })
  expect(await small.matches('x', undefined)).toBe(false)
})
