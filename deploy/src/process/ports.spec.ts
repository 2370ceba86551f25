import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { type Random, systemRandom } from '@nubo/kernel'
import { freePort, isPortFree, reservePort } from './ports.js'

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

  it('are kept from other processes for as long as the one lives that was given them', async () => {
    const port = 1_000_000 + process.pid
    const program = `require('net').createServer().listen({ path: '\\0nubo-port-${port}' }, () => console.log('kept'))`
    const other = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(other.stdout, 'data')
    expect(await reservePort(port)).toBe(false)
    other.kill('SIGKILL')
    await once(other, 'close')
    expect(await reservePort(port)).toBe(true)
    expect(await reservePort(port)).toBe(false)
  })
})
