import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Cloud } from '../support/cloud.js'
import { OpenStackClient } from '../support/openstack-client.js'

const minutes = 60_000

/** What is given out by chance comes from the upper half of each subnet: the addresses that this suite names are below. */
const rangeAndPool = (prefix: string) => `--subnet-range ${prefix}.0/24 --allocation-pool start=${prefix}.128,end=${prefix}.254`

let cloud: Cloud
let demo: OpenStackClient

beforeAll(async () => {
  cloud = await Cloud.start({ hosts: [{ name: 'host-1', vcpus: 8, memoryMiB: 4096, diskGiB: 50 }] })
  await (await cloud.admin()).uploadImage('tiny', 'raw', new Uint8Array(1024 * 1024))
  const file = join(cloud.directory, 'clouds.yaml')
  const entry = (name: 'admin' | 'demo') => ({
    auth: {
      ...{ auth_url: `${cloud.apiUrl}/v3`, username: name, password: cloud.passwords[name], project_name: name },
      ...{ user_domain_name: 'Default', project_domain_name: 'Default' },
    },
    region_name: 'RegionOne',
  })
  await writeFile(file, JSON.stringify({ clouds: { admin: entry('admin'), demo: entry('demo') } }), { mode: 0o600 })
  const admin = new OpenStackClient(file, 'admin')
  demo = new OpenStackClient(file, 'demo')
  await admin.run(
    ...['network', 'create', 'outside', '--external'],
    ...['--provider-network-type', 'flat', '--provider-physical-network', 'outside'],
  )
  await admin.run('subnet', 'create', 'outside4', '--network', 'outside', '--subnet-range', '203.0.113.0/24', '--no-dhcp')
  await demo.run('network', 'create', 'front')
  await run(`subnet create front4 --network front ${rangeAndPool('10.50.0')}`)
  await demo.run('router', 'create', 'way-out')
  await demo.run('router', 'set', 'way-out', '--external-gateway', 'outside')
  await demo.run('router', 'add', 'subnet', 'way-out', 'front4')
}, 5 * minutes)

afterAll(async () => {
  await cloud?.[Symbol.asyncDispose]()
}, minutes)

const words = (line: string) => line.split(' ')
const run = (line: string) => demo.run(...words(line))
const create = (options: string) => words(`server create --image tiny --flavor m1.tiny --wait ${options}`)

interface Shown {
  addresses: Record<string, string[]>
  security_groups: { name: string }[]
}
const addresses = async (server: string) => (await demo.json<Shown>('server', 'show', server)).addresses

/** Changes of one server come one after the other: the next is refused until the last has ended. */
async function change(line: string): Promise<void> {
  for (;;) {
    const { ok, errors } = await demo.try(...words(line))
    if (ok) return
    expect([line, errors]).toEqual([line, expect.stringContaining('another operation on it is under way')])
  }
}

describe('the real client', () => {
  it(
    'puts new servers on networks: the only one, by name, by port, by address',
    async () => {
      await demo.run(...create('alone'))
      expect(await addresses('alone')).toEqual({ front: [expect.stringMatching(/^10\.50\.0\.\d+$/)] })
      await run('port create given --network front --fixed-ip ip-address=10.50.0.77')
      await demo.run(...create('--port given with-port'))
      expect(await addresses('with-port')).toEqual({ front: ['10.50.0.77'] })
      await demo.run(...create('--nic net-id=front,v4-fixed-ip=10.50.0.99 with-address'))
      expect(await addresses('with-address')).toEqual({ front: ['10.50.0.99'] })
      const taken = await demo.try(...create('--nic net-id=front,v4-fixed-ip=10.50.0.99 too-late'))
      expect(taken).toMatchObject({ ok: false, errors: expect.stringContaining('10.50.0.99 is already in use') })
      await run('network create back')
      await run(`subnet create back4 --network back ${rangeAndPool('10.60.0')}`)
      await demo.run(...create('--network front --network back both'))
      expect(Object.keys(await addresses('both')).toSorted()).toEqual(['back', 'front'])
      const which = await demo.try(...create('undecided'))
      expect(which).toMatchObject({ ok: false, errors: expect.stringContaining('Multiple possible networks found') })
      const outside = await demo.try(...create('--network outside exposed'))
      expect(outside).toMatchObject({ ok: false, errors: expect.stringContaining('external network') })
      await run('server delete --wait alone with-port both')
      expect(await demo.json('port', 'show', 'given')).toMatchObject({ status: 'DOWN', device_id: '' })
    },
    10 * minutes,
  )

  it(
    'gives a server that runs interfaces, addresses and groups, and takes them away',
    async () => {
      await demo.run(...create('--network front web'))
      const { front } = await addresses('web')
      await run('port create spare --network back --fixed-ip ip-address=10.60.0.9')
      await change('server add port web spare')
      await change('server add network web back')
      await change('server add fixed ip web front --fixed-ip-address 10.50.0.111')
      const all = await addresses('web')
      expect(all).toEqual({
        front: expect.arrayContaining([...front!, '10.50.0.111']),
        back: expect.arrayContaining(['10.60.0.9']),
      })
      expect([all['front']!.length, all['back']!.length]).toEqual([2, 2])
      await change('server remove port web spare')
      await change('server remove network web back')
      await run('security group create inner')
      await run('server add security group web inner')
      const groups = async () => (await demo.json<Shown>('server', 'show', 'web')).security_groups.map(({ name }) => name)
      expect((await groups()).toSorted()).toEqual(['default', 'inner'])
      await run('server remove security group web inner')
      expect(await groups()).toEqual(['default'])
    },
    10 * minutes,
  )

  it(
    'leads a floating IP to a server, and to one address of it',
    async () => {
      const { floating_ip_address: floating } = await demo.json('floating', 'ip', 'create', 'outside')
      await run(`server add floating ip with-address ${String(floating)}`)
      expect(await addresses('with-address')).toEqual({ front: ['10.50.0.99', floating] })
      await run(`server remove floating ip with-address ${String(floating)}`)
      expect(await addresses('with-address')).toEqual({ front: ['10.50.0.99'] })
      await run(`server add floating ip --fixed-ip-address 10.50.0.99 with-address ${String(floating)}`)
      expect(await addresses('with-address')).toEqual({ front: ['10.50.0.99', floating] })
    },
    5 * minutes,
  )
})
