import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { freePort, isPortFree } from './ports.js'

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
    const server = createServer().listen(await freePort(), '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const fractions = [(port - 15_000) / 17_768 + 1e-9, 0.5]
    const chosen = await freePort('127.0.0.1', { bytes: Buffer.alloc, fraction: () => fractions.shift() ?? 0.25 })
    expect(chosen).not.toBe(port)
    server.close()
  })
})
