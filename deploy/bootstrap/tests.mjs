import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { clone, dataFolder } from './place.mjs'
import { runInView } from './run.mjs'
import { environmentFor } from './toolchain.mjs'

/** Lint, then every test; the last line counts them. Arguments are jest's. */
export async function runTests(node, args) {
  const env = environmentFor(node)
  const tool = (name, ...rest) => runInView(node, [join(clone, 'node_modules', name), ...rest], { cwd: clone, env })
  const checks = [
    ['oxlint', () => tool('oxlint/bin/oxlint')],
    ['oxfmt --check', () => tool('oxfmt/bin/oxfmt', '--check')],
    ['tsc -p tsconfig.spec.json', () => tool('typescript/bin/tsc', '-p', 'tsconfig.spec.json')],
  ]
  const failedChecks = []
  for (const [name, check] of args.length ? [] : checks) if ((await check()) !== 0) failedChecks.push(name)

  const folder = join(dataFolder, 'test')
  mkdirSync(folder, { recursive: true })
  const results = join(folder, 'results.json')
  rmSync(results, { force: true })
  const jest = ['node_modules/jest/bin/jest.js', '--maxWorkers=2', '--json', '--outputFile', results, ...args]
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning']
  const jestEnv = { ...env, NODE_OPTIONS: flags.join(' ') }
  const [command, ...rest] = withReaper(withRootMounted([node, ...jest]))
  const code = await runInView(command, rest, { cwd: clone, env: jestEnv })
  const counts = readCounts(results)
  if (failedChecks.length) console.log(`lint failed: ${failedChecks.join(', ')}`)
  if (counts) console.log(`${counts.passed} passed, ${counts.failed + failedChecks.length} failed`)
  return code !== 0 ? code : failedChecks.length ? 1 : 0
}

/**
 * In a plain chroot `/` is no mount of its own, and then nobody can make a mount namespace private, which tests of hosts do
 * again and again. So there the tests run in a root that is bound onto itself.
 */
function withRootMounted(command) {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  if (process.getuid() !== 0 || mounts.some((line) => line.split(' ')[4] === '/')) return command
  const script = `
    root=$(mktemp -d) && mount --rbind / "$root" && mount --make-rprivate "$root" || exit 1
    chroot "$root" sh -c 'cd "$0" && exec "$@"' "$0" "$@"
    code=$?
    umount --recursive --lazy "$root" && rmdir "$root"
    exit $code`
  return ['unshare', '--mount', '--propagation', 'unchanged', 'sh', '-c', script, clone, ...command]
}

/**
 * Whoever ends a guest or a daemon waits until its process is reaped, which falls to process 1. In many a container that looks
 * after the dead every other second at best: so the tests have a reaper of their own.
 */
function withReaper(command) {
  return ['tini', '-s', '--', ...command]
}

function readCounts(file) {
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(file, 'utf8'))
    return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites }
  } catch {
    return undefined
  }
}
