import { systemClock } from '@nubo/kernel'
import { connectLibvirt, unixSocket } from '@nubo/node-libvirt'
import { startPrivateLibvirtd, type PrivateLibvirtd } from '@nubo/node-libvirt/testing'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from './eventually.js'

/** A private libvirtd and virtlogd, as a host of Nubo has them. */
export interface LibvirtHost {
  libvirtd: PrivateLibvirtd
  /** For disks and consoles: QEMU's user can pass through. */
  directory: string
  /** Ends libvirtd and starts it again; guests and consoles live on. */
  restartLibvirtd(): Promise<void>
  /** Kills virtlogd, does `meanwhile`, starts it again. */
  withoutLogger(meanwhile: () => Promise<void>): Promise<void>
  /** As `virsh destroy` does it. */
  destroyDomain(uuid: string): Promise<void>
  domainNames(): Promise<string[]>
  close(): Promise<void>
}

/** Small, so that a test can fill it: each console keeps at most twice this. */
export const consoleLimitBytes = 65_536

export async function startLibvirtHost(): Promise<LibvirtHost> {
  const directory = await mkdtemp(join(tmpdir(), 'nubo-hv-'))
  await chmod(directory, 0o711)
  for (const name of ['guests', 'consoles', 'libvirt/etc']) await mkdir(join(directory, name), { recursive: true })
  await writeFile(
    join(directory, 'libvirt/etc/virtlogd.conf'),
    `max_size = ${consoleLimitBytes}\nmax_backups = 1\nlog_outputs = "2:file:/var/log/libvirt/virtlogd.log"\n`,
  )
  const libvirtd = await startPrivateLibvirtd({ directory: join(directory, 'libvirt'), qemuConf: 'stdio_handler = "logd"' })
  await openKvm(libvirtd, directory)
  let logger = await startLogger(libvirtd)
  const elsewhere = await connectLibvirt({ transport: unixSocket(libvirtd.socketPath) })
  return {
    libvirtd,
    directory,
    async restartLibvirtd() {
      await libvirtd.restart()
      await openKvm(libvirtd, directory)
    },
    async withoutLogger(meanwhile) {
      const exited = once(logger, 'exit')
      logger.kill('SIGKILL')
      await exited
      try {
        await meanwhile()
      } finally {
        logger = await startLogger(libvirtd)
      }
    },
    async destroyDomain(uuid) {
      await elsewhere.ready()
      await elsewhere.domainDestroy({ domain: { uuid } })
    },
    async domainNames() {
      await elsewhere.ready()
      return (await elsewhere.connectListAllDomains()).map(({ name }) => name)
    },
    async close() {
      await elsewhere.close()
      await libvirtd.stop()
      await end(logger)
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** With its root too: in a chroot the root of the mount namespace is another. */
function inside(libvirtd: PrivateLibvirtd): string[] {
  return ['--target', String(libvirtd.pid), '--mount', '--root', '--']
}

/** Where QEMU's user cannot open a /dev/kvm that root can, libvirt asks QEMU for its capabilities before every start: 4 s. */
async function openKvm(libvirtd: PrivateLibvirtd, directory: string): Promise<void> {
  if (!(await stat('/dev/kvm').catch(() => undefined))) return
  const script = 'rm -f "$1" && mknod -m 666 "$1" c 10 232 && mount --bind "$1" /dev/kvm'
  await promisify(execFile)('nsenter', [...inside(libvirtd), 'sh', '-c', script, 'sh', join(directory, 'kvm')])
}

async function startLogger(libvirtd: PrivateLibvirtd): Promise<ChildProcess> {
  const command = ['setpriv', '--pdeathsig', 'TERM', '/usr/sbin/virtlogd', '--pid-file', '/run/libvirt/virtlogd.pid']
  const socketPath = libvirtd.socketPath.replace(/libvirt-sock$/, 'virtlogd-sock')
  await rm(socketPath, { force: true })
  const logger = spawn('nsenter', [...inside(libvirtd), ...command], { stdio: 'ignore' })
  await eventually(() => stat(socketPath).catch(() => undefined))
  return logger
}

async function end(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return
  const exited = once(process, 'exit')
  process.kill('SIGTERM')
  process.kill('SIGCONT')
  const impatience = systemClock.after(5000, () => process.kill('SIGKILL'))
  await exited
  impatience.cancel()
}
