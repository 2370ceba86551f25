import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from '../bootstrap/refusal.mjs'
import { Steps } from '../bootstrap/steps.mjs'
import { Cloud } from './cloud.js'
import { removeCgroup } from './host/cgroup.js'
import { removeInterface } from './host/network.js'
import { removeOutside } from './host/outside.js'
import { loadInstallation } from './installation/installation.js'
import { DataFolder } from './installation/place.js'

/** Long enough for a small guest to power off under emulation. */
const guestGraceMs = 60_000

/**
 * Stops everything of this installation, guests first and in order, and takes away all that the machine saw of it. Data stay,
 * unless `--wipe` is given.
 */
export async function down(args: string[]): Promise<number> {
  const unknown = args.filter((arg) => arg !== '--wipe')
  if (unknown.length) throw new Refusal(`down does not know ${unknown.join(' ')}: it takes --wipe alone.`)
  const folder = new DataFolder()
  const installation = loadInstallation(folder)
  const steps = new Steps()
  if (installation) await takeDown(new Cloud(installation, folder), steps, guestGraceMs)
  else steps.say('Nothing of this clone is up.')
  if (args.includes('--wipe')) await steps.step('data', () => wipe(folder))
  return 0
}

/** Stops all that runs of an installation, where it does; each guest has `guestGraceMs` to power off. */
export async function takeDown(cloud: Cloud, steps: Steps, guestGraceMs: number): Promise<void> {
  const { installation, folder } = cloud
  await steps.step('guests and hosts', async (progress) => {
    const { hosts } = cloud
    let left = hosts.filter((host) => host.isOn).length
    const on = left
    progress(`${left} to go`)
    await Promise.all(
      hosts.map(async (host) => {
        if (existsSync(host.settings.directory)) await host.shutDown(guestGraceMs)
        progress(`${--left} to go`)
      }),
    )
    return on ? `${on} hosts are off` : 'none was on'
  })
  await steps.step('control plane', async () => {
    await cloud.paths.mount()
    const { supervisor } = cloud
    // One that was killed has left its services running: the next takes them over, and ends them in order.
    if (!supervisor.process && !existsSync(join(folder.folder('run'), 'services.json'))) return 'was not running'
    await supervisor.ensure(process.execPath)
    const services = await supervisor.ask({ verb: 'status' })
    await supervisor.shutDown()
    rmSync(join(folder.folder('run'), 'services.json'), { force: true })
    return `${services.length} services ended`
  })
  await steps.step('network and mounts', async () => {
    for (const { number } of installation.hosts)
      for (const cable of ['nv', 'nw']) await removeInterface(`${cable}-${installation.id}-${number}`)
    await removeInterface(installation.underlay.bridge)
    if (installation.outside) await removeOutside(installation.outside)
    await removeCgroup(cloud.cgroup)
    rmSync(cloud.paths.postgres, { recursive: true, force: true })
    await cloud.paths.unmount()
    return 'nothing of ours is left'
  })
}

/** What is no data of the cloud: what was fetched, the root of `npm run test:fresh`, and the locks of those at work. */
const kept = ['toolchain', 'fresh', 'test']

function wipe(folder: DataFolder): string {
  if (!existsSync(folder.path)) return 'there was none'
  for (const name of readdirSync(folder.path)) {
    if (!kept.includes(name) && !name.startsWith('lock')) rmSync(join(folder.path, name), { recursive: true, force: true })
  }
  return 'removed; .nubo/toolchain, which is only what was fetched, stays'
}
