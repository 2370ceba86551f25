import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { lstat, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { systemClock } from './clock.js'

export interface PrivateLibvirtdOptions {
  /** Where all that it writes goes; made where it does not exist. Disks belong into `lib/images`, which guests see as `/var/lib/libvirt/images`. */
  directory: string
  /** Who runs QEMU: `user` and `group` of qemu.conf, numeric with a `+`. Default +64055, Debian's libvirt-qemu. */
  qemuUser?: string
  qemuGroup?: string
  /** Whether QEMU's user may open /dev/kvm, where the machine has one. Default false: there seems to be none, as on the least of machines. */
  kvm?: boolean
  /** Where libvirt keeps what it learnt by probing QEMU, which takes it seconds. Default: shared with others, in the temporary directory. */
  cacheDirectory?: string
  /** Listens on 127.0.0.1 too, without authentication. */
  tcpPort?: number
  /** Lines for libvirtd.conf and qemu.conf; they win over what is set here. */
  libvirtdConf?: string
  qemuConf?: string
}

export interface PrivateLibvirtd {
  /** The daemon's unix socket, as this process sees it. */
  readonly socketPath: string
  /** The daemon's process; another one after `restart`. */
  readonly pid: number
  /** Where a file of `/var/lib/libvirt/images` lies for this process. */
  readonly imagesDirectory: string
  /** Sends a signal to the daemon alone; its guests live on. */
  kill(signal: NodeJS.Signals): void
  /** Ends the daemon where it still runs, and starts it again on the same directory. Guests live on. */
  restart(): Promise<void>
  /** Ends the daemon and every guest. The directory stays. */
  stop(): Promise<void>
}

/** What the kernel takes as the path of a unix socket. */
const socketPathMaximumBytes = 107
const startTimeoutMs = 60_000

/**
 * Starts a libvirtd that nobody else meets: it sees its own `/run`, `/etc/libvirt` and `/var/{lib,cache,log}/libvirt`, all
 * under `directory`, in a mount namespace of its own. Without the machine's `/run` it finds no D-Bus, and so registers
 * nothing with systemd. Needs root, libvirtd, and util-linux.
 */
export async function startPrivateLibvirtd(options: PrivateLibvirtdOptions): Promise<PrivateLibvirtd> {
  if (process.getuid?.() !== 0) throw new Error('a private libvirtd needs root: it runs in a mount namespace of its own')
  const places = await preparePlaces(options)
  let daemon = await launch(places, options)
  return {
    socketPath: places.socketPath,
    imagesDirectory: join(places.directory, 'lib/images'),
    get pid() {
      return daemon.pid!
    },
    kill: (signal) => void daemon.kill(signal),
    async restart() {
      await end(daemon)
      daemon = await launch(places, options)
    },
    async stop() {
      await end(daemon)
      await endGuests(places)
      if (places.runDirectory !== join(places.directory, 'run')) await rm(places.runDirectory, { recursive: true, force: true })
    },
  }
}

interface Places {
  directory: string
  /** Seen by the daemon as /run/libvirt. Not under `directory` where that would make the socket's path too long. */
  runDirectory: string
  socketPath: string
  cacheDirectory: string
}

async function preparePlaces(options: PrivateLibvirtdOptions): Promise<Places> {
  const directory = resolve(options.directory)
  const cacheDirectory = resolve(options.cacheDirectory ?? (await sharedCache(options)) ?? join(directory, 'cache'))
  for (const name of ['root-run', 'etc/qemu', 'lib/images', 'log', cacheDirectory])
    await mkdir(resolve(directory, name), { recursive: true })
  let runDirectory = join(directory, 'run')
  if (Buffer.byteLength(join(runDirectory, 'libvirt-sock')) > socketPathMaximumBytes) {
    runDirectory = await mkdtemp(join(tmpdir(), 'libvirtd-'))
  }
  await mkdir(runDirectory, { recursive: true })
  await writeFile(join(directory, 'etc/libvirtd.conf'), libvirtdConf(options))
  await writeFile(join(directory, 'etc/qemu.conf'), qemuConf(options))
  // libvirt's QEMU driver wants Debian's user to exist even where it is told to use another.
  await writeFile(join(directory, 'passwd'), 'libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin\n')
  await writeFile(join(directory, 'group'), 'libvirt-qemu:x:64055:\n')
  return { directory, runDirectory, cacheDirectory, socketPath: join(runDirectory, 'libvirt-sock') }
}

/** The temporary directory is everybody's: what is there under this name is used only if nobody else could have made it. */
async function sharedCache({ kvm = false }: PrivateLibvirtdOptions): Promise<string | undefined> {
  // What is learnt with and without KVM is not the same.
  const path = join(tmpdir(), kvm ? 'private-libvirtd-cache-kvm' : 'private-libvirtd-cache')
  await mkdir(path, { mode: 0o700 }).catch(() => undefined)
  const { uid, mode } = await lstat(path)
  return uid === 0 && (mode & 0o177777) === 0o040700 ? path : undefined
}

function libvirtdConf({ tcpPort, libvirtdConf = '' }: PrivateLibvirtdOptions): string {
  const tcp =
    tcpPort === undefined ? '' : `listen_tcp = 1\nlisten_addr = "127.0.0.1"\ntcp_port = "${tcpPort}"\nauth_tcp = "none"\n`
  // libvirt takes the first line of each name.
  return `${libvirtdConf}
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_rw_perms = "0700"
listen_tls = 0
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
${tcp}`
}

function qemuConf({ qemuUser = '+64055', qemuGroup = '+64055', qemuConf = '' }: PrivateLibvirtdOptions): string {
  return `${qemuConf}
user = "${qemuUser}"
group = "${qemuGroup}"
dynamic_ownership = 1
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
`
}

/**
 * $1 directory, $2 run directory, $3 cache directory, $4 whether there is KVM, the rest: libvirtd's arguments.
 *
 * /dev/kvm is another node of the same device, because its mode has to be right for QEMU's user: libvirt 9.0 probes QEMU
 * with CAP_DAC_OVERRIDE, finds KVM, then finds that QEMU's user could not open it, drops what it has learnt, and so probes
 * again, for four seconds, in every call that asks for capabilities.
 */
const script = `set -e
mount -t tmpfs -o mode=755 tmpfs "$1/root-run"
mkdir "$1/root-run/libvirt" "$1/root-run/lock"
mount --bind "$2" "$1/root-run/libvirt"
mkdir -p /var/lib/libvirt /var/cache/libvirt /var/log/libvirt /etc/libvirt
mount --bind "$1/lib" /var/lib/libvirt
mount --bind "$3" /var/cache/libvirt
mount --bind "$1/log" /var/log/libvirt
mount --bind "$1/etc" /etc/libvirt
mount --rbind "$1/root-run" /run
for list in passwd group; do
  getent $list libvirt-qemu > /dev/null && continue
  { cat /etc/$list; grep "^libvirt-qemu:" "$1/$list"; } > "$1/$list.joined"
  mount --bind "$1/$list.joined" /etc/$list
done
if [ -e /dev/kvm ]; then
  if [ "$4" = true ]; then mknod -m 666 "$1/root-run/kvm" c 10 232; else install -m 000 /dev/null "$1/root-run/kvm"; fi
  mount --bind "$1/root-run/kvm" /dev/kvm
fi
shift 4
exec setpriv --pdeathsig TERM /usr/sbin/libvirtd "$@"
`

async function launch(places: Places, options: PrivateLibvirtdOptions): Promise<ChildProcess> {
  const log = await open(join(places.directory, 'log/libvirtd.out'), 'a')
  const listen = options.tcpPort === undefined ? [] : ['--listen']
  const args = [
    '--mount',
    '--propagation',
    'private',
    '--',
    '/bin/sh',
    '-c',
    script,
    'sh',
    places.directory,
    places.runDirectory,
    places.cacheDirectory,
    String(options.kvm ?? false),
  ]
  const daemon = spawn('unshare', [...args, '--pid-file', '/run/libvirt/libvirtd.pid', ...listen], {
    stdio: ['ignore', log.fd, log.fd],
  })
  await log.close()
  const giveUpMs = systemClock.monotonicMs() + startTimeoutMs
  while (!(await answers(places.socketPath))) {
    const dead = daemon.exitCode !== null || daemon.signalCode !== null
    if (dead || systemClock.monotonicMs() > giveUpMs) {
      await end(daemon)
      throw new Error(`libvirtd did not start:\n${await lastWords(places)}`)
    }
    await pause(20)
  }
  return daemon
}

async function lastWords({ directory }: Places): Promise<string> {
  const logs = ['libvirtd.out', 'libvirtd.log'].map((name) => readFile(join(directory, 'log', name), 'utf8').catch(() => ''))
  return (await Promise.all(logs)).map((log) => log.trim().slice(-1000)).join('\n')
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path: socketPath })
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

async function end(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return
  const exited = once(daemon, 'exit')
  daemon.kill('SIGTERM')
  daemon.kill('SIGCONT')
  const impatience = systemClock.after(5000, () => daemon.kill('SIGKILL'))
  await exited
  impatience.cancel()
}

/** QEMU is nobody's child: libvirt leaves a file with the number of each. */
async function endGuests({ runDirectory }: Places): Promise<void> {
  const directory = join(runDirectory, 'qemu')
  const files = await readdir(directory).catch(() => [])
  for (const file of files.filter((name) => name.endsWith('.pid'))) {
    const pid = Number(await readFile(join(directory, file), 'utf8'))
    while (await isQemu(pid)) {
      process.kill(pid, 'SIGKILL')
      await pause(10)
    }
  }
}

/** A number may have been given to another process since it was written down. */
async function isQemu(pid: number): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return commandLine.includes('qemu-system')
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => void systemClock.after(delayMs, resolve))
}
