import { describe, expect, it } from '@jest/globals'
import { aCloud, stopCloudsAfterEach } from '../testing/clouds.js'
import type { FakeCloud } from '../testing/fake-cloud.js'

stopCloudsAfterEach()

const create = 'server create web --image debian --flavor small'

describe('a request whose answer is lost', () => {
  /** The first so many creations break off after they were sent; the rest are answered. */
  function breakOff(
    cloud: FakeCloud,
    count: number,
    then: () => { status: number; headers?: Record<string, string>; body?: unknown }[] = () => [],
  ) {
    const answers = then()
    let broken = 0
    cloud.on('POST', /servers$/, () => {
      if (broken++ < count) return 'hang up'
      return answers.shift() ?? { status: 202, body: { server: { id: cloud.addServer({ name: 'web' }).id } } }
    })
  }
  const keysOf = (cloud: FakeCloud) => cloud.sent('POST', /servers$/).map(({ headers }) => headers['idempotency-key'])

  it('is sent again under its key to a cloud that honours keys, until it is answered', async () => {
    const { cloud, nubo } = await aCloud({ nubo: true })
    cloud.addImage()
    breakOff(cloud, 2, () => [
      { status: 409, headers: { 'retry-after': '1' }, body: { conflictingRequest: { code: 409, message: 'Under way.' } } },
      { status: 503, headers: { 'retry-after': '1' }, body: {} },
    ])
    const outcome = await nubo(create)
    expect(outcome).toMatchObject({ code: 0 })
    expect(outcome.stdout).toContain(cloud.servers[0]!.id)
    expect(outcome.stderr).toContain('asking again, which makes nothing twice')
    const keys = keysOf(cloud)
    expect(keys).toHaveLength(5)
    expect([new Set(keys).size, keys[0]]).toEqual([1, expect.stringMatching(/^key-\d+$/)])
  })

  it('is given up in the end, and said to be unknown', async () => {
    const { cloud, nubo } = await aCloud({ nubo: true })
    cloud.addImage()
    breakOff(cloud, 100)
    const outcome = await nubo(create)
    expect(outcome.code).toBe(6)
    expect(outcome.stderr).toContain('whether it was carried out is not known')
    expect(keysOf(cloud)).toHaveLength(6)
  })

  it('is not sent again to a cloud that says nothing of keys', async () => {
    const { cloud, nubo } = await aCloud({ nubo: true })
    cloud.on('GET', /nubo\/v1$/, () => ({ body: { version: { id: 'v1' } } }))
    cloud.addImage()
    breakOff(cloud, 1)
    expect(await nubo(create)).toMatchObject({ code: 6 })
    expect(keysOf(cloud)).toHaveLength(1)
  })

  it('is sent again where it is an action too', async () => {
    const { cloud, nubo } = await aCloud({ nubo: true })
    const server = cloud.addServer({ status: 'SHUTOFF' })
    let broken = false
    cloud.on('POST', /action$/, () => {
      if (broken) return { status: 202 }
      broken = true
      return 'hang up'
    })
    expect(await nubo(`server start ${server.id}`)).toMatchObject({ code: 0 })
    const [first, second] = cloud.sent('POST', /action$/).map(({ headers }) => headers['idempotency-key'])
    expect([first === second, first]).toEqual([true, expect.any(String)])
  })

  it('is not repeated where it was answered, whatever the answer', async () => {
    const { cloud, nubo } = await aCloud({ nubo: true })
    cloud.addImage()
    breakOff(cloud, 0, () => [{ status: 503, headers: { 'retry-after': '1' }, body: {} }])
    expect(await nubo(create)).toMatchObject({ code: 1 })
    expect(keysOf(cloud)).toHaveLength(1)
  })
})

describe('--idempotency-key', () => {
  it('is sent as it is given, and not for what only reads', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.addImage()
    expect(await nubo(`${create} --idempotency-key mine-1`)).toMatchObject({ code: 0 })
    expect(cloud.sent('POST', /servers$/).map(({ headers }) => headers['idempotency-key'])).toEqual(['mine-1'])
    const others = [...cloud.sent('GET', /./), ...cloud.sent('POST', /tokens$/)]
    expect(others.filter(({ headers }) => headers['idempotency-key'] !== undefined)).toEqual([])
  })

  it('is a new one for each request otherwise', async () => {
    const { cloud, nubo } = await aCloud()
    const servers = [cloud.addServer({ status: 'SHUTOFF' }), cloud.addServer({ status: 'SHUTOFF' })]
    await nubo(`server start ${servers.map(({ id }) => id).join(' ')}`)
    expect(new Set(cloud.sent('POST', /action$/).map(({ headers }) => headers['idempotency-key'])).size).toBe(2)
  })

  it.each([['é'], ['x'.repeat(256)]])('is refused before anything is asked where it cannot be a key: %s', async (key) => {
    const { cloud, nubo } = await aCloud()
    const outcome = await nubo([...create.split(' '), '--idempotency-key', key])
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining('1 to 255 ASCII characters') })
    expect(cloud.requests).toEqual([])
  })

  it('needs the public key that it is to be the name of', async () => {
    const { nubo } = await aCloud()
    expect(await nubo('keypair create me --idempotency-key mine-1')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--idempotency-key needs --public-key'),
    })
  })
})
