import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { aCloud, stopCloudsAfterEach } from '../testing/clouds.js'

stopCloudsAfterEach()

const hostKey = {
  ...{ host_id: 'a0000000-0000-4000-8000-000000000001', host: 'rack-3', fingerprint: 'SHA256:abc', public_key: 'PEM' },
  ...{
    enrolled_at: '2026-11-26T03:00:00Z',
    enrolled_by: 'u',
    refused: [{ reason: 'replayed', count: 2, last_at: '2026-11-26T03:01:00Z' }],
  },
}

describe("hosts' keys", () => {
  it('are listed with what was refused in the name of each host', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.on('GET', /nubo\/v1\/host-keys$/, () => ({ body: { host_keys: [hostKey] } }))
    const { stdout } = await nubo('host-key list')
    for (const text of [hostKey.host_id, 'rack-3', 'SHA256:abc', 'replayed (2)']) expect(stdout).toContain(text)
  })

  it('are enrolled from a file, and taken away', async () => {
    const { cloud, nubo } = await aCloud()
    cloud.on('PUT', /nubo\/v1\/host-keys\/[^/]+$/, () => ({ body: { host_key: hostKey } }))
    cloud.on('DELETE', /nubo\/v1\/host-keys\/[^/]+$/, () => ({ status: 204 }))
    const directory = mkdtempSync(join(tmpdir(), 'nubo-cli-'))
    try {
      const file = join(directory, 'host-key.pub')
      writeFileSync(file, 'PEM')
      expect((await nubo(`host-key enrol ${hostKey.host_id} ${file}`)).stdout).toContain('SHA256:abc')
      expect(JSON.parse(cloud.sent('PUT', /host-keys/)[0]!.body)).toEqual({ host_key: { public_key: 'PEM' } })
      expect((await nubo(`host-key enrol ${hostKey.host_id} ${file}-not`)).code).toBe(2)
    } finally {
      rmSync(directory, { recursive: true })
    }
    expect(await nubo(`host-key remove ${hostKey.host_id}`)).toMatchObject({ code: 0 })
    expect(cloud.sent('DELETE', /host-keys/)).toHaveLength(1)
  })
})
