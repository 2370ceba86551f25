import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { systemRandom } from '@nubo/kernel'
import { machineRoutes } from '../installation/installation.js'
import { chooseSubnet } from '../installation/subnet.js'
import { identify, isAlive, signal } from '../process/identity.js'
import { run } from '../process/run.js'
import { waitFor } from '../process/wait.js'
import { RuntimePaths } from '../runtime-paths.js'
import { removeCgroup } from './cgroup.js'
import { guestUser } from './libvirt-configuration.js'
import { KvmHost } from './host.js'
import { ensureUnderlay, hostAddress, interfaceExists, removeInterface, type Underlay } from './network.js'
import { ensureOutside, type Outside, removeOutside } from './outside.js'

const id = systemRandom.bytes(4).toString('hex')
let underlay: Underlay
let outside: Outside
let clone: string
let paths: RuntimePaths
let hosts: KvmHost[]

beforeEach(async () => {
  clone = mkdtempSync(join(tmpdir(), `nubo-hosts-${'long-'.repeat(25)}`))
  mkdirSync(join(clone, '.nubo/secret'), { recursive: true })
  paths = new RuntimePaths(id, { clone, data: join(clone, '.nubo') })
  await paths.mount()
  const routes = await machineRoutes()
  underlay = { bridge: `nb-${id}`, prefix: chooseSubnet(id, routes)! }
  outside = { bridge: `nx-${id}`, prefix: chooseSubnet(id, [...routes, { dst: `${underlay.prefix}.0/24` }])! }
  await ensureUnderlay(underlay)
  await ensureOutside(outside, underlay)
  hosts = [1, 2].map((number) => {
    const name = `host-${number}`
    const directory = join(clone, '.nubo/hosts', name)
    return new KvmHost({
      name,
      uuid: `00000000-0000-4000-8000-00000000000${number}`,
      directory,
      logDirectory: join(clone, '.nubo/logs', name),
      runtimeDirectory: join(paths.data, 'hosts', name),
      clone,
      codeDirectory: paths.code,
      readOnly: [],
      underlay,
      outside,
      address: hostAddress(underlay, number),
      device: `nv-${id}-${number}`,
      outsideDevice: `nw-${id}-${number}`,
      cgroup: `nubo-${id}/${name}`,
      memoryMiB: 512,
    })
  })
})

afterEach(async () => {
  for (const host of hosts) await host.shutDown(0)
  await removeInterface(underlay.bridge)
  await removeOutside(outside)
  await removeCgroup(`nubo-${id}`)
  await paths.unmount()
  rmSync(clone, { recursive: true, force: true })
})

/** A guest that only spins in its firmware: enough for libvirt to start, own and lose. */
function guest(name: string, disk: string): string {
  return `<domain type='qemu'><name>${name}</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
    <os><type arch='x86_64' machine='pc'>hvm</type></os>
    <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
      <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${disk}'/><target dev='vda' bus='virtio'/></disk>
      <controller type='usb' model='none'/></devices></domain>`
}

async function startGuest(host: KvmHost, name: string): Promise<number> {
  writeFileSync(join(host.settings.directory, 'disk.raw'), Buffer.alloc(512 * 1024))
  const file = join(clone, `${name}.xml`)
  writeFileSync(file, guest(name, join(host.settings.runtimeDirectory, 'disk.raw')))
  await host.virsh('create', file)
  return host.processes().find((process) => process.name.startsWith('qemu-system'))!.pid
}

describe('two KVM hosts on one machine', () => {
  it('live, lose power and come back each on its own, and leave nothing', async () => {
    await Promise.all(hosts.map((host) => host.start()))
    const [one, two] = hosts as [KvmHost, KvmHost]
    expect(await one.virsh('hostname')).toBe('host-1')
    expect(await two.virsh('hostname')).toBe('host-2')
    expect(await two.virsh('capabilities')).toContain(two.settings.uuid)

    // They reach each other over the underlay, at its full size, and see neither the control plane's data nor each other's.
    const inside = (host: KvmHost, ...command: string[]) =>
      run('nsenter', ['--target', String(host.firstProcess!.pid), '--all', '--root', ...command])
    const ping = `exec 3<>/dev/tcp/${two.settings.address}/22`
    expect((await inside(one, 'bash', '-c', ping)).stderr).toContain('Connection refused')
    expect((await inside(one, 'cat', '/sys/class/net/u0/mtu')).stdout.trim()).toBe('1550')
    for (const hidden of [
      join(clone, '.nubo/secret'),
      join(paths.code, '.nubo/secret'),
      two.settings.directory,
      two.settings.runtimeDirectory,
    ]) {
      expect((await inside(one, 'ls', hidden)).code).not.toBe(0)
    }
    expect((await inside(one, 'ls', one.settings.runtimeDirectory)).code).toBe(0)
    const boot = (await inside(one, 'cat', '/proc/sys/kernel/random/boot_id')).stdout
    expect(boot).not.toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'))

    // The machine is their gateway to the outside, and lets what comes from there leave under its own address.
    await inside(one, 'ip', 'link', 'set', 'x0', 'up')
    await inside(one, 'ip', 'address', 'add', `${outside.prefix}.10/24`, 'dev', 'x0')
    expect((await inside(one, 'bash', '-c', `exec 3<>/dev/tcp/${outside.prefix}.1/22`)).stderr).toContain('Connection refused')
    // From there nobody comes to the underlay: guests are there.
    await inside(one, 'ip', 'route', 'add', `${underlay.prefix}.1/32`, 'via', `${outside.prefix}.1`, 'dev', 'x0')
    expect((await inside(one, 'ping', '-c', '1', '-W', '2', `${outside.prefix}.1`)).code).toBe(0)
    expect((await inside(one, 'ping', '-c', '1', '-W', '2', `${underlay.prefix}.1`)).code).toBe(1)
    await inside(one, 'ip', 'route', 'del', `${underlay.prefix}.1/32`)
    expect((await inside(one, 'ping', '-c', '1', '-W', '2', `${underlay.prefix}.1`)).code).toBe(0)
    const { stdout: leaving } = await run('nft', ['list', 'ruleset'])
    expect(leaving).toContain(`ip saddr ${outside.prefix}.0/24 oifname != "${outside.bridge}" masquerade`)

    // A guest runs as a user of its own and outlives its host's libvirtd.
    const qemu = identify(await startGuest(one, 'first'))!
    const bystander = identify(await startGuest(two, 'second'))!
    expect(readFileSync(`/proc/${qemu.pid}/status`, 'utf8')).toMatch(new RegExp(`^Uid:\\s+${guestUser}\\s`, 'm'))
    await one.restart('libvirtd', 'SIGKILL')
    expect(await one.virsh('list', '--name')).toBe('first')
    expect(isAlive(qemu)).toBe(true)

    // A power cut ends all of the one host and nothing of the other; after it the host is there again, in a new boot.
    await one.cutPower()
    expect(isAlive(qemu)).toBe(false)
    expect(isAlive(bystander)).toBe(true)
    expect(one.isOn).toBe(false)
    await one.start()
    expect(await one.virsh('list', '--name')).toBe('')
    expect((await inside(one, 'cat', '/proc/sys/kernel/random/boot_id')).stdout).not.toBe(boot)
    expect((await inside(one, 'bash', '-c', ping)).stderr).toContain('Connection refused')

    await one.shutDown(0)
    await two.shutDown(0)
    expect(isAlive(bystander)).toBe(false)
    expect(await interfaceExists(one.settings.device)).toBe(false)
    expect(await interfaceExists(two.settings.device)).toBe(false)
    expect(await interfaceExists(one.settings.outsideDevice)).toBe(false)
    await removeOutside(outside)
    expect(await interfaceExists(outside.bridge)).toBe(false)
    expect((await run('nft', ['list', 'ruleset'])).stdout).not.toContain(outside.prefix)
  }, 300_000)

  it('are shut down also where libvirtd hangs', async () => {
    const [host] = hosts as [KvmHost]
    await host.start()
    signal(host.program('libvirtd')!, 'SIGSTOP')
    await host.shutDown(0)
    expect(host.isOn).toBe(false)
  })

  it('run what they are told as their agent, again whenever it ends, unless it is held', async () => {
    const [host] = hosts as [KvmHost]
    const trace = join(host.settings.runtimeDirectory, 'agent starts')
    // One that is ended too early leaves no line, so each is waited for.
    const startsAre = (count: number) =>
      waitFor(`start ${count}`, () => existsSync(trace) && readFileSync(trace, 'utf8') === "it's started\n".repeat(count), {
        timeoutMs: 30_000,
      })
    host.setAgent(['/bin/sh', '-c', `echo "it's started" >> "${trace}"; exec sleep 1000`])
    await host.start()
    await startsAre(1)
    const first = host.program('agent')!
    await host.restart('agent', 'SIGKILL')
    expect(isAlive(first)).toBe(false)
    await startsAre(2)
    await host.hold('agent')
    expect(host.program('agent')).toBeUndefined()
    host.release('agent')
    await startsAre(3)
  })
})
