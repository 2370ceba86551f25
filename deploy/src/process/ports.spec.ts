import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { type Random, systemRandom } from '@nubo/kernel'
import { freePort, isPortFree } from './ports.js'

/** Random but for the first choice. */
function firstChoosing(port: number): Random {
  const fractions = [(port - 15_000) / 17_768 + 1e-9]
  return { ...systemRandom, fraction: () => fractions.shift() ?? systemRandom.fraction() }
}

describe('ports', () => {
  it('are free until somebody listens', async () => {
    const port = await freePort()
    expect(port).toBeLessThan(32_768)
    const server = createServer().listen(port, '127.0.0.1')
    await once(server, 'listening')
    expect(await isPortFree(port)).toBe(false)
    server.close()
    await once(server, 'close')
    expect(await isPortFree(port)).toBe(true)
  })

  it('are chosen anew while the chosen one is taken', async () => {
    let port = 20_000
    while (!(await isPortFree(port))) port++
    const server = createServer().listen(port, '127.0.0.1')
    await once(server, 'listening')
    expect(await freePort('127.0.0.1', firstChoosing(port))).not.toBe(port)
    server.close()
  })

  it('are given once, though nobody listens yet', async () => {
    const port = await freePort()
    expect(await freePort('127.0.0.1', firstChoosing(port))).not.toBe(port)
  })
})
