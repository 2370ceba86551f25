import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HostSettings } from './host-settings.js'
import { guestUser, libvirtdConfiguration, qemuConfiguration, virtlogdConfiguration } from './libvirt-configuration.js'
import { quote } from './quote.js'

/** Writes what the first process reads, and returns the path of its settings. What lies under /run on a real machine is gone after a boot, and so it is here. */
export function layOut(settings: HostSettings): string {
  const { directory } = settings
  for (const name of ['run', 'control']) {
    const kept = name === 'control' && existsSync(join(directory, 'control/agent.sh'))
    const agent = kept ? readFileSync(join(directory, 'control/agent.sh')) : undefined
    rmSync(join(directory, name), { recursive: true, force: true })
    mkdirSync(join(directory, name), { recursive: true, mode: name === 'run' ? 0o755 : 0o700 })
    if (agent) writeFileSync(join(directory, 'control/agent.sh'), agent)
  }
  for (const name of ['libvirt', 'etc', 'cache', 'log']) mkdirSync(join(directory, name), { recursive: true, mode: 0o755 })
  mkdirSync(settings.logDirectory, { recursive: true })
  for (const path of [directory, settings.logDirectory]) chmodSync(path, 0o755)
  writeFileSync(join(directory, 'etc/libvirtd.conf'), libvirtdConfiguration(settings.uuid))
  writeFileSync(join(directory, 'etc/qemu.conf'), qemuConfiguration(settings.address))
  writeFileSync(join(directory, 'etc/virtlogd.conf'), virtlogdConfiguration())
  const binds = [
    { source: directory, target: settings.runtimeDirectory, mode: 'rw' },
    { source: settings.logDirectory, target: join(settings.runtimeDirectory, 'log'), mode: 'rw' },
    { source: settings.clone, target: settings.codeDirectory, mode: 'ro' },
    ...settings.readOnly.map((bind) => ({ ...bind, mode: 'ro' })),
  ]
  const values = {
    name: settings.name,
    directory,
    runtime: settings.runtimeDirectory,
    clone: settings.clone,
    code: settings.codeDirectory,
    guestUser: String(guestUser),
    binds: binds.map(({ source, target, mode }) => `${source}\t${target}\t${mode}`).join('\n'),
  }
  const lines = Object.entries(values).map(([key, value]) => `${key}=${quote(value)}`)
  const file = join(directory, 'host.settings')
  writeFileSync(file, `${lines.join('\n')}\n`)
  return file
}
