import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { Cloud } from '../support/cloud.js'
import type { CloudClient } from '../support/client.js'
import { repository } from '../support/repository.js'
import { footprints } from './footprint.js'
import { benchPlacement } from './placement.js'
import { benchRealGuests } from './real-guests.js'
import { requestRate, tokenRate } from './requests.js'
import { burst, oneByOne, ServerTimes, type ServerParts } from './servers.js'
import { rounded } from './statistics.js'

const results = join(repository, '.nubo')
const report: Record<string, unknown> = { startedAt: new Date().toISOString(), node: process.version }

/** Prints a part's figures as they come, with the load beside them, and keeps them for the file. */
async function part<T>(name: string, measure: () => Promise<T>): Promise<T> {
  const load = rounded(loadavg()[0]!, 2)
  process.stdout.write(`\n${name} (load ${load})\n`)
  const figures = await measure()
  report[name] = { load, figures }
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`)
  return figures
}

async function prepare(cloud: Cloud): Promise<{ demo: CloudClient; admin: CloudClient; parts: ServerParts }> {
  const admin = await cloud.admin()
  const demo = await cloud.demo()
  const imageRef = await admin.uploadImage('bench', 'raw', new Uint8Array(1024 * 1024))
  const made = await admin.compute<{ flavor: { id: string } }>('POST', '/flavors', {
    flavor: { name: 'bench', vcpus: 1, ram: 64, disk: 1 },
  })
  const projects = await demo.call<{ projects: { id: string }[] }>('GET', `${cloud.apiUrl}/v3/auth/projects`)
  await admin.compute('PUT', `/os-quota-sets/${projects.body.projects[0]!.id}`, {
    quota_set: { instances: -1, cores: -1, ram: -1 },
  })
  return { demo, admin, parts: { imageRef, flavorRef: made.body.flavor.id } }
}

async function withServers(
  client: CloudClient,
  parts: ServerParts,
  times: ServerTimes,
  count: number,
  work: () => Promise<void>,
) {
  const answer = await client.compute<{ reservation_id: string }>('POST', '/servers', {
    server: { name: 'listed', ...parts, networks: 'none', min_count: count, max_count: count, return_reservation_id: true },
  })
  if (answer.status !== 202) throw new Error(`POST /servers: ${answer.status} ${JSON.stringify(answer.body)}`)
  const listed = await client.compute<{ servers: { id: string }[] }>('GET', '/servers')
  const ids = listed.body.servers.map(({ id }) => id)
  for (;;) if ((await times.progress(ids)).busy === 0) break
  await work()
}

const hosts = ['one', 'two'].map((name) => ({ name, vcpus: 4_096, memoryMiB: 4_194_304, diskGiB: 65_536 }))

await part('decisions of the pure scheduler', benchPlacement)
{
  await using cloud = await Cloud.start({ hosts })
  await using times = new ServerTimes(cloud.databaseAddress)
  const { demo, parts } = await prepare(cloud)
  const programs = [
    ...cloud.names.filter((name) => !name.startsWith('agent-')).map((name) => ({ name, pid: cloud.pidOf(name) })),
    { name: 'postgresql', pid: cloud.postgres.pid! },
    { name: 'redis', pid: cloud.redis.pid! },
  ]
  await part('idle control plane', async () => {
    const each = await footprints(programs)
    const total = {
      pssMiB: rounded(each.reduce((sum, { pssMiB }) => sum + pssMiB, 0)),
      cpuPercent: rounded(
        each.reduce((sum, { cpuPercent }) => sum + cpuPercent, 0),
        2,
      ),
    }
    return { each, total }
  })
  await part('create to ACTIVE one by one, simulated hosts', () => oneByOne(demo, times, parts, 60))
  await part('200 creates from 16 clients, then 200 deletes, simulated hosts', () => burst(demo, times, parts, 200, 16))
  const reads = async (name: string, path: string) => {
    await part(`${name}, 1 connection`, () => requestRate(demo, path, 1))
    await part(`${name}, 8 connections`, () => requestRate(demo, path, 8))
  }
  await reads('GET /servers with none', `${cloud.apiUrl}/v2.1/servers`)
  await reads('GET /v2/images', `${cloud.imageUrl}/v2/images`)
  await part('tokens by password', () => tokenRate(cloud, demo))
  await withServers(demo, parts, times, 200, async () => {
    await reads('GET /servers with 200', `${cloud.apiUrl}/v2.1/servers`)
    await reads('GET /servers/detail with 200', `${cloud.apiUrl}/v2.1/servers/detail`)
  })
}
await part('create to ACTIVE one by one, real QEMU guests, against the floor', benchRealGuests)
const up = await readFile(join(results, 'up.json'), 'utf8').catch(() => undefined)
if (up) await part('npm run up, step by step', async () => JSON.parse(up) as unknown)

await mkdir(results, { recursive: true })
const file = join(results, `bench-${(report.startedAt as string).replaceAll(':', '-')}.json`)
await writeFile(file, JSON.stringify(report, null, 2))
process.stdout.write(`\nwritten to ${file}\n`)
