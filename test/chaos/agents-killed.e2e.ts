import { expect, it } from '@jest/globals'
import { waitFor } from '@nubo/deploy'
import { startLibvirtHost, testGuest } from '@nubo/hypervisor/testing'
import { systemClock } from '@nubo/kernel'
import { Cloud } from '../support/cloud.js'

const minutes = 60_000
const awayMs = 5_000
const count = 20

interface Server {
  status: string
}

it(
  `${count} guests being built by libvirt while every agent is killed -9 and comes back after 5 s: ${count} ACTIVE`,
  async () => {
    await using stack = new AsyncDisposableStack()
    const hosts = await Promise.all(['one', 'two'].map(async () => stack.adopt(await startLibvirtHost(), (host) => host.close())))
    const sizes = { vcpus: 64, memoryMiB: 16_384, diskGiB: 256 }
    const cloud = stack.use(
      await Cloud.start({
        hosts: hosts.map(({ libvirtd, directory }, index) => ({
          ...{ name: `host-${index + 1}`, ...sizes },
          libvirt: { socketPath: libvirtd.socketPath, directory, virtType: 'qemu' },
        })),
      }),
    )
    const admin = await cloud.admin()
    const image = new Uint8Array(1024 * 1024)
    image.set(testGuest)
    const imageRef = await admin.uploadImage('tiny', 'raw', image)
    const flavor = { name: 'tiny', vcpus: 1, ram: 32, disk: 1 }
    const made = await admin.compute<{ flavor: { id: string } }>('POST', '/flavors', { flavor })
    const parts = { imageRef, flavorRef: made.body.flavor.id, networks: 'none' }
    const found = await admin.call<{ projects: { id: string }[] }>('GET', `${cloud.apiUrl}/v3/auth/projects`)
    const quota_set = { instances: -1, cores: -1, ram: -1 }
    await admin.compute('PUT', `/os-quota-sets/${found.body.projects[0]!.id}`, { quota_set })
    const statuses = async () =>
      (await admin.compute<{ servers: Server[] }>('GET', '/servers/detail')).body.servers.map(({ status }) => status)

    const server = { name: 'killed', ...parts, min_count: count, max_count: count }
    expect((await admin.compute('POST', '/servers', { server })).status).toBe(202)
    const someButNotAll = async () => {
      const active = (await statuses()).filter((status) => status === 'ACTIVE').length
      return active > 0 && active < count
    }
    await waitFor('the first are built', someButNotAll, { timeoutMs: 2 * minutes, everyMs: 20 })
    const agents = ['agent-host-1', 'agent-host-2'] as const
    await Promise.all(agents.map((agent) => cloud.kill(agent)))
    await systemClock.sleep(awayMs)
    await Promise.all(agents.map((agent) => cloud.startService(agent)))
    await waitFor('none is in BUILD', async () => !(await statuses()).includes('BUILD'), { timeoutMs: 5 * minutes, everyMs: 200 })
    expect(await statuses()).toEqual(Array.from({ length: count }, () => 'ACTIVE'))
    const domains = await Promise.all(hosts.map((host) => host.domainNames()))
    expect(domains.flat()).toHaveLength(count)
  },
  12 * minutes,
)
