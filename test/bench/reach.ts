import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { systemClock } from '@nubo/kernel'
import { waitFor } from '@nubo/deploy'
import { CloudClient } from '../support/client.js'
import { Installation } from '../support/installation.js'
import type { Figure } from './figures.js'
import { median } from './statistics.js'

const run = promisify(execFile)
const rounds = 5

type Named = Record<string, { id: string; floating_ip_address: string }>

/**
 * From `POST /servers` until the guest answers a ping at its floating IP, with the small image on an installation as `up`
 * makes it. Its port and address are made before, so that nothing is waited for but the guest and its networks.
 */
export async function benchReach(): Promise<Figure[]> {
  await using installation = await Installation.up('bench')
  const demo = await clientOf(installation)
  const first = await onlyOf(demo, '/v2.1/servers/detail', 'servers')
  const parts = { imageRef: (first['image'] as { id: string }).id, flavorRef: await nanoFlavor(demo) }
  const pinged: number[] = []
  const active: number[] = []
  for (let round = 0; round < rounds; round++) {
    const times = await reachOne(demo, parts)
    pinged.push(times.pingedMs)
    active.push(times.activeMs)
  }
  return [
    { name: 'POST /servers to the answer to a ping', value: median(pinged) / 1000, unit: 's' },
    { name: '  to ACTIVE, whose guest then boots', value: median(active) / 1000, unit: 's' },
  ]
}

async function clientOf(installation: Installation): Promise<CloudClient> {
  const clouds = await readFile(installation.cloudsFile, 'utf8')
  const [, password] = /username: demo\n +password: *"?([^"\s]+)/.exec(clouds)!
  const [, authUrl] = /auth_url: *"?([^"\s]+)\/v3/.exec(clouds)!
  return await new CloudClient(authUrl!, '').login('demo', password!, 'demo')
}

async function reachOne(demo: CloudClient, parts: Record<string, string>): Promise<{ pingedMs: number; activeMs: number }> {
  const network = await onlyOf(demo, '/network/v2.0/networks?name=private', 'networks')
  const external = await onlyOf(demo, '/network/v2.0/networks?name=external', 'networks')
  const group = await onlyOf(demo, '/network/v2.0/security-groups?name=ssh', 'security_groups')
  const port = await make(demo, 'ports', { port: { network_id: network['id'], security_groups: [group['id']] } })
  const floating = await make(demo, 'floatingips', { floatingip: { floating_network_id: external['id'], port_id: port.id } })
  const begun = systemClock.monotonicMs()
  const server = { name: 'reached', ...parts, networks: [{ port: port.id }] }
  const { body } = await demo.compute<{ server: { id: string } }>('POST', '/servers', { server })
  const path = `/servers/${body.server.id}`
  const isActive = async () => (await demo.compute<{ server: { status: string } }>('GET', path)).body.server.status === 'ACTIVE'
  await waitFor('the server is ACTIVE', isActive, { timeoutMs: 120_000, everyMs: 20 })
  const activeMs = systemClock.monotonicMs() - begun
  const answers = async () =>
    await run('ping', ['-c', '1', '-W', '1', floating.floating_ip_address]).then(
      () => true,
      () => false,
    )
  await waitFor('the guest answers', answers, { timeoutMs: 300_000, everyMs: 20 })
  const pingedMs = systemClock.monotonicMs() - begun
  await demo.compute('DELETE', path)
  await waitFor('the server is gone', async () => (await demo.compute('GET', path)).status === 404, {
    timeoutMs: 120_000,
    everyMs: 50,
  })
  for (const gone of [`floatingips/${floating.id}`, `ports/${port.id}`])
    await demo.call('DELETE', `${demo.apiUrl}/network/v2.0/${gone}`)
  return { pingedMs, activeMs }
}

async function make(demo: CloudClient, collection: string, body: Record<string, unknown>) {
  const answer = await demo.call<Named>('POST', `${demo.apiUrl}/network/v2.0/${collection}`, body)
  if (answer.status !== 201) throw new Error(`${collection}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return Object.values(answer.body)[0]!
}

async function onlyOf(demo: CloudClient, path: string, key: string): Promise<Record<string, unknown>> {
  const { body } = await demo.call<Record<string, Record<string, unknown>[]>>('GET', `${demo.apiUrl}${path}`)
  return body[key]![0]!
}

async function nanoFlavor(demo: CloudClient): Promise<string> {
  const { body } = await demo.compute<{ flavors: { id: string; name: string }[] }>('GET', '/flavors')
  return body.flavors.find(({ name }) => name === 'm1.nano')!.id
}
