import { mkdirSync } from 'node:fs'
import { Refusal } from '../../bootstrap/refusal.mjs'
import type { Steps } from '../../bootstrap/steps.mjs'
import { Cloud } from '../cloud.js'
import { ensureUnderlay } from '../host/network.js'
import { ensureOutside } from '../host/outside.js'
import { writeClouds } from '../installation/clouds.js'
import {
  followMove,
  giveOutside,
  giveRedisUsers,
  loadInstallation,
  makeInstallation,
  machineRoutes,
  saveInstallation,
  shareOutAgain,
} from '../installation/installation.js'
import { ensureKeys } from '../installation/keys.js'
import type { DataFolder } from '../installation/place.js'
import { isSubnetFree } from '../installation/subnet.js'
import { availableMemoryMiB, machineOf } from '../machine.js'
import type { Machine } from '../shares.js'
import { startAgents, startHosts } from './agents.js'
import { startDatabase, startRedis } from './data-services.js'
import { enrolHosts } from './host-keys.js'
import { openCode } from './open-code.js'
import { person } from './person.js'
import { settlePorts } from './ports.js'
import { startControlPlane } from './control-plane.js'

const memoryNeededMiB = 2048
/** What the control plane keeps for itself, and a few guests' disks on each host. */
const diskNeededGiB = 8

/** Everything of an installation up to its hosts' agents: made and started where it is missing. No guests yet. */
export async function bringUp(folder: DataFolder, steps: Steps): Promise<Cloud> {
  const cloud = await steps.step('installation', () => settle(folder))
  const { supervisor } = cloud
  await steps.step('supervisor', () => supervisor.ensure(process.execPath))
  await steps.step('postgres', (progress) => startDatabase(cloud, supervisor, progress))
  await steps.step('redis', () => startRedis(cloud, supervisor))
  await steps.step('control plane', (progress) => startControlPlane(cloud, supervisor, progress))
  writeClouds(folder.clouds, cloud.installation, person())
  await steps.step('host keys', () => enrolHosts(cloud))
  await steps.step('hosts', () => startHosts(cloud))
  await steps.step('agents', (progress) => startAgents(cloud, progress))
  return cloud
}

/** The installation, its folders, paths and bridge: made where they are missing. */
async function settle(folder: DataFolder): Promise<Cloud> {
  let installation = loadInstallation(folder)
  if (!installation) {
    installation = await makeInstallation(sufficient(machineOf(folder.path), folder))
    saveInstallation(installation, folder)
  }
  const changed = [
    await giveOutside(installation),
    giveRedisUsers(installation),
    followMove(installation),
    shareOutAgain(installation, machineOf(folder.path)),
  ]
  if (changed.includes(true)) saveInstallation(installation, folder)
  const { underlay, outside } = installation
  for (const { prefix, bridge } of [underlay, outside]) await checkSubnet(prefix, bridge)
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
  await ensureOutside(outside, underlay)
  await settlePorts(cloud)
  return cloud
}

async function checkSubnet(prefix: string, bridge: string): Promise<void> {
  if (isSubnetFree(prefix, await machineRoutes(), bridge)) return
  throw new Refusal(
    `a route of this machine now covers ${prefix}.0/24, a network of the hosts: remove it, or begin anew with \`npm run down -- --wipe\`.`,
  )
}

/** The machine, if what a new cloud needs is free there now. */
function sufficient(machine: Machine, folder: DataFolder): Machine {
  const available = availableMemoryMiB()
  if (available < memoryNeededMiB) {
    throw new Refusal(
      `${available} MiB of memory are free and ${memoryNeededMiB} MiB are needed: end what uses it and run this again.`,
    )
  }
  if (machine.diskGiB < diskNeededGiB) {
    throw new Refusal(
      `${machine.diskGiB} GiB are free under ${folder.path} and ${diskNeededGiB} GiB are needed: make room and run this again.`,
    )
  }
  return machine
}
