import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Refusal } from './refusal.mjs'
import { lastWords, run } from './run.mjs'

const qemu = { x64: 'qemu-system-x86', arm64: 'qemu-system-arm' }[process.arch]

/**
 * What a running cloud needs, beside what every Debian has. None of these brings a service: libvirt's units and its default
 * network are in libvirt-daemon-system, Redis's in redis-server, and both stay out.
 */
export const packagesToRun = [
  qemu,
  'qemu-utils',
  'libvirt-daemon',
  'libvirt-daemon-driver-qemu',
  'libvirt-clients',
  'redis-tools',
  'genisoimage',
  'iproute2',
  'nftables',
  'conntrack',
  'iputils-arping',
  'dnsmasq-base',
  'e2fsprogs',
  'util-linux',
]

/** What the tests need besides: the real client, what looks into guests, keys and networks, sets a host's clock off, and reaps. */
export const packagesToTest = [
  'python3-openstackclient',
  'openssh-client',
  'openssl',
  'libfaketime',
  'isc-dhcp-client',
  'iputils-ping',
  'tini',
]

/**
 * PostgreSQL's package would make a cluster and start it, so it is unpacked here instead of being installed: in a place that
 * everyone may read, because PostgreSQL refuses to run as root, and shared by all clones, as an installed package would be.
 */
const unpackedFolder = '/var/cache/nubo/postgresql'
const oldestPostgres = 14

const environment = {
  ...process.env,
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
  // Ubuntu's needrestart would restart the machine's own services after an upgrade of a library.
  NEEDRESTART_SUSPEND: '1',
}

/** Brings the Debian packages that are missing, and PostgreSQL's programs; gives a few words on what was done. */
export async function bringPackages(wanted, progress, say, needsPostgres = true) {
  if (!existsSync('/usr/bin/apt-get')) {
    throw new Refusal('this machine has no apt-get: Nubo runs on Debian 12 and on Ubuntu.')
  }
  const missing = await notInstalled(wanted)
  const postgres = !needsPostgres || hasPostgres() ? undefined : 'PostgreSQL (unpacked, not installed)'
  if (missing.length === 0 && !postgres) return 'all there'
  say(`  Debian packages to come: ${[...missing, postgres].filter(Boolean).join(' ')}`)
  await withoutServices(async () => {
    if (missing.length) await install(missing, progress)
    if (postgres) await unpackPostgres(progress)
  })
  return `${missing.length} installed${postgres ? ', PostgreSQL unpacked' : ''}`
}

async function notInstalled(names) {
  const { output } = await run('dpkg-query', ['--show', '--showformat', '${Package} ${db:Status-Status}\n', ...names], {
    env: environment,
  })
  const installed = new Set(output.split('\n').flatMap((line) => (line.endsWith(' installed') ? [line.split(' ')[0]] : [])))
  return names.filter((name) => !installed.has(name))
}

async function install(names, progress) {
  await refreshLists(names, progress)
  const args = ['install', '--yes', '--no-install-recommends', '--quiet', '-o', 'DPkg::Lock::Timeout=120', ...names]
  const onLine = (line) => progress(line.slice(0, 60))
  let result = await run('apt-get', args, { env: environment, onLine })
  if (result.code !== 0 && /404|Unable to fetch|Hash Sum mismatch/.test(result.output)) {
    await update(progress)
    result = await run('apt-get', args, { env: environment, onLine })
  }
  if (result.code !== 0) throw aptRefusal(`apt-get install ${names.join(' ')}`, result.output)
}

/** Fetches the package lists, where one of the packages is not in those that the machine has. */
async function refreshLists(names, progress) {
  const { output } = await run('apt-cache', ['policy', ...names], { env: environment })
  const known = output.split('\n').filter((line) => /^ {2}Candidate: (?!\(none\))/.test(line)).length
  if (known < names.length) await update(progress)
}

async function update(progress) {
  const result = await run('apt-get', ['update', '--quiet', '-o', 'Acquire::Retries=2'], {
    env: environment,
    onLine: (line) => progress(line.slice(0, 60)),
  })
  if (result.code !== 0 || /^(Err|W: Failed)/m.test(result.output)) throw aptRefusal('apt-get update', result.output)
}

function aptRefusal(command, output) {
  const noNetwork = /Temporary failure resolving|Could not resolve|Could not connect|Network is unreachable|Failed to fetch/.test(
    output,
  )
  if (noNetwork) {
    return new Refusal(
      `\`${command}\` cannot reach Debian's packages: connect the machine (or set a proxy in /etc/apt) and run this again.`,
    )
  }
  const errors = output.split('\n').filter((line) => /^(E:|dpkg: error)/.test(line))
  return new Refusal(`\`${command}\` failed: ${lastWords(errors.join('\n') || output)}. Mend that and run this again.`)
}

/** Debian's own way to say that no package may start a service while it is installed: a policy-rc.d that forbids it. */
async function withoutServices(work) {
  const policy = '/usr/sbin/policy-rc.d'
  const mark = '# Put here by Nubo while it installs packages; may be removed.'
  const isOurs = !existsSync(policy) || readFileSync(policy, 'utf8').includes(mark)
  if (isOurs) {
    writeFileSync(policy, `#!/bin/sh\n${mark}\nexit 101\n`)
    chmodSync(policy, 0o755)
  }
  const takeAway = () => isOurs && rmSync(policy, { force: true })
  process.once('exit', takeAway)
  try {
    return await work()
  } finally {
    takeAway()
    process.off('exit', takeAway)
  }
}

function hasPostgres() {
  return ['/', unpackedFolder].some((root) => {
    const base = join(root, 'usr/lib/postgresql')
    if (!existsSync(base)) return false
    return readdirSync(base).some(
      (version) => Number(version) >= oldestPostgres && existsSync(join(base, version, 'bin/postgres')),
    )
  })
}

async function unpackPostgres(progress) {
  await refreshLists(['postgresql'], progress)
  const { output } = await run('apt-cache', ['depends', 'postgresql'], { env: environment })
  const name = /Depends: (postgresql-\d+)/.exec(output)?.[1]
  if (!name)
    throw new Refusal('apt knows no postgresql package: add Debian’s main archive to /etc/apt/sources.list.d and run this again.')
  progress(`fetching ${name}`)
  const download = join(dirname(unpackedFolder), `download-${process.pid}`)
  rmSync(download, { recursive: true, force: true })
  mkdirSync(download, { recursive: true, mode: 0o755 })
  const sandbox = ['-o', 'APT::Sandbox::User=root']
  let fetched = await run('apt-get', ['download', '--quiet', ...sandbox, name], { cwd: download, env: environment })
  if (fetched.code !== 0) {
    await update(progress)
    fetched = await run('apt-get', ['download', '--quiet', ...sandbox, name], { cwd: download, env: environment })
  }
  if (fetched.code !== 0) throw aptRefusal(`apt-get download ${name}`, fetched.output)
  const file = join(
    download,
    readdirSync(download).find((entry) => entry.endsWith('.deb')),
  )
  const depends = await run('dpkg-deb', ['--field', file, 'Depends'], { env: environment })
  const libraries = await notInstalled(librariesOf(depends.output))
  if (libraries.length) await install(libraries, progress)
  // Unpacked beside its place and moved there whole, so that a run cut off leaves nothing that looks complete.
  const fresh = join(download, 'root')
  const unpacked = await run('dpkg-deb', ['--extract', file, fresh], { env: environment })
  if (unpacked.code !== 0) throw new Refusal(`cannot unpack ${name}: ${lastWords(unpacked.output)}`)
  rmSync(unpackedFolder, { recursive: true, force: true })
  const moved = await run('mv', [fresh, unpackedFolder], {})
  if (moved.code !== 0) throw new Refusal(`cannot unpack ${name}: ${lastWords(moved.output)}`)
  rmSync(download, { recursive: true, force: true })
}

/**
 * The libraries among a package's dependencies. PostgreSQL's scripts around clusters are not needed, nor is LLVM (115 MB),
 * which only its just-in-time compiler loads.
 */
export function librariesOf(depends) {
  const names = depends.split(',').map((one) => one.split('|')[0].trim().split(/[ (:]/)[0])
  return [...new Set(names)].filter((name) => /^lib|^tzdata$/.test(name) && !name.startsWith('libllvm'))
}
