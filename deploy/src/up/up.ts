import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../../bootstrap/refusal.mjs'
import { type StepTime, Steps } from '../../bootstrap/steps.mjs'
import { Cloud } from '../cloud.js'
import { ensureUnderlay } from '../host/network.js'
import { writeClouds } from '../installation/clouds.js'
import {
  followMove,
  loadInstallation,
  makeInstallation,
  machineRoutes,
  saveInstallation,
  shareOutAgain,
} from '../installation/installation.js'
import { ensureKeys } from '../installation/keys.js'
import { DataFolder } from '../installation/place.js'
import { isSubnetFree } from '../installation/subnet.js'
import { availableMemoryMiB, machineOf } from '../machine.js'
import { startAgents, startHosts } from './agents.js'
import { startDatabase, startRedis } from './data-services.js'
import { ensureFirstGuest, ensureGuestImage, type FirstGuest } from './first-guest.js'
import { ComputeClient } from './compute-client.js'
import { openCode } from './open-code.js'
import { settlePorts } from './ports.js'
import { startControlPlane } from './control-plane.js'

const memoryNeededMiB = 2048

/** Brings the whole cloud up, or what of it is missing, and shows a guest's console. */
export async function up(args: string[]): Promise<number> {
  if (args.length) throw new Refusal(`up takes no arguments, and was given ${args.join(' ')}.`)
  const steps = new Steps()
  const folder = new DataFolder()
  const before: StepTime[] = JSON.parse(process.env['NUBO_STEPS'] ?? '[]')
  const cloud = await steps.step('installation', () => settle(folder))
  const { supervisor } = cloud

  await steps.step('supervisor', () => supervisor.ensure(process.execPath))
  await steps.step('postgres', (progress) => startDatabase(cloud, supervisor, progress))
  await steps.step('redis', () => startRedis(cloud, supervisor))
  await steps.step('control plane', (progress) => startControlPlane(cloud, supervisor, progress))
  writeClouds(folder.clouds, cloud.installation, person())
  await steps.step('hosts', () => startHosts(cloud))
  await steps.step('agents', (progress) => startAgents(cloud, progress))

  const { admin, demo } = cloud.installation.passwords
  const asAdmin = new ComputeClient(cloud.addresses.api, { user: 'admin', password: admin, project: 'admin' })
  const asDemo = new ComputeClient(cloud.addresses.api, { user: 'demo', password: demo, project: 'demo' })
  await steps.step('hosts in the cloud', () => asAdmin.waitForHosts(cloud.installation.hosts.length))
  await steps.step('guest image', (progress) => ensureGuestImage(cloud, asAdmin, progress))
  const guest = await steps.step('first guest', (progress) => ensureFirstGuest(cloud, asDemo, progress))

  const times = [...before, ...steps.times]
  writeFileSync(join(folder.path, 'up.json'), `${JSON.stringify({ steps: times }, null, 2)}\n`)
  tell(steps, cloud, guest, times)
  return guest.state === 'ERROR' ? 1 : 0
}

/** The installation, its folders, paths and bridge: made where they are missing. */
async function settle(folder: DataFolder): Promise<Cloud> {
  let installation = loadInstallation(folder)
  if (!installation) {
    const available = availableMemoryMiB()
    if (available < memoryNeededMiB) {
      throw new Refusal(
        `${available} MiB of memory are free and ${memoryNeededMiB} MiB are needed: end what uses it and run this again.`,
      )
    }
    installation = await makeInstallation(machineOf(folder.path))
    saveInstallation(installation, folder)
  }
  const changed = [followMove(installation), shareOutAgain(installation, machineOf(folder.path))]
  if (changed.includes(true)) saveInstallation(installation, folder)
  const { underlay } = installation
  if (!isSubnetFree(underlay.prefix, await machineRoutes(), underlay.bridge)) {
    throw new Refusal(
      `a route of this machine now covers ${underlay.prefix}.0/24, the hosts' network: remove it, or begin anew with \`npm run down -- --wipe\`.`,
    )
  }
  const cloud = new Cloud(installation, folder)
  for (const name of ['config', 'keys', 'logs', 'hosts'] as const)
    mkdirSync(folder.folder(name), { recursive: true, mode: 0o755 })
  mkdirSync(folder.folder('run'), { recursive: true, mode: 0o700 })
  cloud.ownFolder('postgres')
  cloud.ownFolder('redis')
  cloud.ownFolder('images')
  ensureKeys(folder.folder('keys'), cloud.account)
  openCode(cloud.clone)
  await cloud.paths.mount()
  await ensureUnderlay(underlay)
  await settlePorts(cloud)
  return cloud
}

/** The person behind sudo, as the bootstrap saw them. */
function person(): { uid: number; gid: number } {
  const [uid, gid] = (process.env['NUBO_PERSON'] ?? `${process.getuid!()}:${process.getgid!()}`).split(':').map(Number)
  return { uid: uid!, gid: gid! }
}

function tell(steps: Steps, cloud: Cloud, guest: FirstGuest, times: readonly StepTime[]): void {
  const seconds = Math.round(times.reduce((sum, step) => sum + step.ms, 0) / 1000)
  const { hosts, share } = cloud.installation
  steps.say()
  steps.say(`Nubo is up, after ${seconds} s.`)
  steps.say()
  steps.say(`  API     ${cloud.addresses.api}/v3`)
  steps.say(`  hosts   ${hosts.length}, each with ${share.memoryMiB} MiB, ${share.vcpus} CPU, ${share.diskGiB} GiB`)
  steps.say(`  guest   ${guest.name}: ${guest.state}${guest.reason ? `: ${guest.reason}` : ''}`)
  if (guest.console.length) steps.say()
  for (const line of guest.console) steps.say(`    | ${line}`)
  steps.say()
  steps.say('Try next:')
  steps.say('  export OS_CLIENT_CONFIG_FILE=$PWD/.nubo/clouds.yaml OS_CLOUD=nubo')
  steps.say(`  npx nubo server list`)
  steps.say(`  npx nubo server create --image nubo-guest --flavor ${guest.flavor ?? 'm1.tiny'} --wait second`)
}
