import { existsSync, readFileSync, writeFileSync, chownSync, mkdirSync, rmSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Cloud } from '../cloud.js'
import { controlPlaneConfigurations } from '../configuration.js'
import { serviceTrouble } from '../health.js'
import { runOrThrow } from '../process/run.js'
import { type ControlPlaneService, controlPlaneService, controlPlaneServices } from '../services.js'
import type { SupervisorHandle } from '../supervisor/start.js'
import { waitUntilWell, whyServiceFails } from './why.js'

const startTimeoutMs = 60_000

/** Our services, after the records that they need to be of use: the default domain, roles, projects, users and flavors. */
export async function startControlPlane(
  cloud: Cloud,
  supervisor: SupervisorHandle,
  progress: (words: string) => void,
): Promise<void> {
  const specifications = controlPlaneServices.map((name) => controlPlaneService(cloud, name))
  progress('default records')
  await seed(cloud, specifications.find((service) => service.name === 'api')!.fingerprint)
  for (const service of specifications) await supervisor.ask({ verb: 'ensure', service })
  const waiting = new Set<string>(controlPlaneServices)
  await Promise.all(
    specifications.map(async ({ name, logFile }) => {
      await waitForService(cloud, supervisor, name as ControlPlaneService, logFile)
      waiting.delete(name)
      progress(`waiting for ${[...waiting].join(', ')}`)
    }),
  )
}

async function waitForService(
  cloud: Cloud,
  supervisor: SupervisorHandle,
  name: ControlPlaneService,
  logFile: string,
): Promise<void> {
  const { listen } = controlPlaneConfigurations(cloud.installation, cloud.places)[name]
  const whyNot = whyServiceFails(supervisor, name, logFile)
  await waitUntilWell(name, logFile, () => serviceTrouble(listen.host, listen.port), whyNot, startTimeoutMs)
}

/** Runs the api's own program for it, as the api's user; not again until the code or what it is given is another. */
async function seed(cloud: Cloud, code: string): Promise<void> {
  const { installation, folder, paths, account } = cloud
  const wanted = JSON.stringify({ adminPassword: installation.passwords.admin, demoPassword: installation.passwords.demo })
  const fingerprint = createHash('sha256').update(code).update(wanted).digest('hex')
  const stamp = join(folder.folder('run'), 'seeded')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint) return
  const name = 'bootstrap.json'
  const file = join(folder.folder('config'), name)
  writeFileSync(file, wanted, { mode: 0o600 })
  chownSync(file, account.uid, account.gid)
  const at = (configuration: string) => join(paths.data, 'config', configuration)
  const args = [cloud.program('services/api/dist/bootstrap.js'), '--config', at('api.json'), '--bootstrap', at(name)]
  try {
    await runOrThrow(cloud.node, args, { cwd: '/', uid: account.uid, gid: account.gid, env: { PATH: process.env['PATH'] } })
  } finally {
    rmSync(file, { force: true })
  }
  mkdirSync(folder.folder('run'), { recursive: true, mode: 0o700 })
  writeFileSync(stamp, fingerprint)
}
