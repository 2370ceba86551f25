import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { takeLock } from './lock.mjs'
import { checkDisk, makeServiceUser } from './machine.mjs'
import { bringPackages, packagesToRun, packagesToTest } from './packages.mjs'
import { clone, dataFolder, makeFolders } from './place.mjs'
import { person, viaSudo } from './privileges.mjs'
import { Refusal } from './refusal.mjs'
import { endOnInterrupt, runInView } from './run.mjs'
import { Steps } from './steps.mjs'
import { runTests } from './tests.mjs'
import { bringNode, broughtNode, build, environmentFor, installModules, modulesAreWhole, projectsToRun } from './toolchain.mjs'

const commands = { up, down, status, test, 'test-fresh': testFresh, bench, chaos, sim }

/** Runs one of the commands; gives the exit code. */
export async function main([name, ...args]) {
  endOnInterrupt()
  try {
    const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined
    if (!command) throw new Refusal(`there is no command ${name ?? ''}: use one of ${Object.keys(commands).join(', ')}.`)
    return (await viaSudo([name, ...args])) ?? (await command(args))
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    console.error(`nubo: ${error.message}`)
    return 1
  }
}

async function up(args) {
  makeFolders()
  await takeLock('up')
  checkDisk()
  const steps = new Steps()
  const node = await prepare(steps, packagesToRun, projectsToRun())
  return await handOver(node, ['up', ...args], steps)
}

async function down(args) {
  if (!wasEverBuilt()) {
    console.log('Nothing of this clone was ever up.')
    return 0
  }
  await takeLock('down')
  // An `npm ci` that was cut off took our own programs' modules away.
  const node = modulesAreWhole() ? currentNode() : await prepare(new Steps(), packagesToRun, projectsToRun())
  return await handOver(node, ['down', ...args])
}

async function status(args) {
  if (!wasEverBuilt()) {
    console.log('Nothing of this clone was ever up: start it with `npm run up`.')
    return 1
  }
  if (!modulesAreWhole()) throw new Refusal('an `npm ci` is under way or was cut off: wait for its end, or run `npm run up`.')
  return await handOver(currentNode(), ['status', ...args])
}

function wasEverBuilt() {
  return existsSync(dataFolder) && existsSync(join(clone, 'deploy/dist/main.js'))
}

async function test(args) {
  makeFolders()
  const giveBack = await takeLock('test')
  const node = await prepare(new Steps(), [...packagesToRun, ...packagesToTest])
  giveBack()
  return await runTests(node, args)
}

async function testFresh(args) {
  const { runFresh } = await import('./fresh.mjs')
  return await runFresh(args)
}

async function bench(args) {
  return await runSuite('bench', packagesToRun, args)
}

async function chaos(args) {
  makeFolders()
  // One at a time: each has the same data folder.
  const giveBack = await takeLock('chaos', 'lock-chaos')
  const code = await runSuite('chaos', [...packagesToRun, ...packagesToTest], args)
  giveBack()
  return code
}

/** A suite across services that is a program of its own. */
async function runSuite(name, packages, args) {
  makeFolders()
  const giveBack = await takeLock(name)
  const node = await prepare(new Steps(), packages)
  giveBack()
  return await runProgram(node, join(clone, `test/dist/${name}/main.js`), args)
}

/** PostgreSQL and Redis are played: it needs no packages. */
async function sim(args) {
  return await runSuite('sim', [], args)
}

/** Everything up to the point where our own programs can run; gives the Node to run them with. */
async function prepare(steps, packages, projects = []) {
  await steps.step('packages', (progress) => bringPackages(packages, progress, (line) => steps.say(line)))
  await makeServiceUser()
  let node = process.execPath
  await steps.step('node', async (progress) => {
    node = await bringNode(progress)
    return node === process.execPath ? `the machine's, ${process.version}` : 'from the npm registry, in .nubo/toolchain'
  })
  await steps.step('modules', (progress) => installModules(node, progress))
  await steps.step('build', (progress) => build(node, progress, projects))
  return node
}

function currentNode() {
  return existsSync(broughtNode()) ? broughtNode() : process.execPath
}

function handOver(node, args, steps) {
  return runProgram(node, join(clone, 'deploy/dist/main.js'), args, steps)
}

/** Runs a built program in our place; it ends with us, and tells us so by the channel between us. */
function runProgram(node, program, args, steps) {
  const { uid, gid } = person()
  const env = {
    ...environmentFor(node),
    NUBO_PERSON: `${uid}:${gid}`,
    NUBO_STEPS: JSON.stringify(steps?.times ?? []),
  }
  return runInView(node, [program, ...args], { cwd: clone, env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
}
