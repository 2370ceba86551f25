// Rules of our own for oxlint: who may import whom, and what its own rules cannot say of time.
import { dirname, join, relative, resolve } from 'node:path'

const repository = dirname(dirname(import.meta.dirname))
const testFile = /\.(spec|e2e)\.ts$|\/src\/(test|testing)(\/|\.ts$)/

/** Which libs each lib may import: the table of DESIGN's house. A lib that is not here may import none. */
const libsOfLibs = {
  kernel: [],
  'node-libvirt': [],
  domain: ['kernel'],
  contract: ['kernel'],
  wire: ['kernel'],
  auth: ['kernel'],
  queue: ['kernel', 'contract'],
  workflow: ['kernel', 'contract', 'queue'],
  database: ['kernel', 'domain', 'contract', 'workflow'],
  hypervisor: ['kernel', 'node-libvirt'],
  'host-network': ['kernel'],
  'service-kit': ['kernel', 'wire', 'auth'],
  'control-plane': ['kernel', 'domain', 'contract', 'auth', 'database', 'queue', 'service-kit', 'workflow'],
}

/** libvirt is hypervisor's to know. */
const libsOfServices = Object.keys(libsOfLibs).filter((lib) => lib !== 'node-libvirt')

/** Programs on hosts have no access to the database. */
const libsOfAgents = libsOfServices.filter((lib) => lib !== 'database' && lib !== 'control-plane')

/** Packages that only one lib knows; tests and the deployment look behind some of them. */
const knownBy = {
  prisma: ['libs/database'],
  '@prisma': ['libs/database'],
  pg: ['libs/database', 'deploy', 'tests'],
  bullmq: ['libs/queue'],
  ioredis: ['libs/queue', 'deploy', 'tests'],
}

const imports = {
  meta: { messages: { refused: "{{place}} may not import '{{source}}'{{instead}}" } },
  create(context) {
    const place = placeOf(context.filename)
    if (!place) return {}
    const check = (node) => {
      // Neither `export const x = 1` nor `import(variable)` names a module.
      const source = node?.type === 'Literal' ? node.value : undefined
      if (typeof source !== 'string') return
      const instead = refusal(place, context.filename, source)
      if (instead !== undefined) context.report({ node, messageId: 'refused', data: { place: place.name, source, instead } })
    }
    return {
      ImportDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      TSImportType: (node) => check(node.source),
    }
  },
}

/** Where a file stands; undefined for what is not ours to judge. */
function placeOf(filename) {
  const path = relative(repository, filename)
  const [name] = /^(libs|services|clients)\/[^/]+(?=\/)|^(deploy|test)(?=\/)/.exec(path) ?? []
  if (name === undefined) return undefined
  const [kind, directory] = name.split('/')
  return { name, kind, directory, root: join(repository, name), isTest: kind === 'test' || testFile.test(path) }
}

/** Why a file may not import `source`, as the end of a sentence; undefined if it may. */
function refusal(place, filename, source) {
  if (source.startsWith('.')) {
    // The suites across services run some of them within their own process.
    if (place.kind === 'test') return undefined
    return resolve(dirname(filename), source).startsWith(`${place.root}/`) ? undefined : ': it lies in another package'
  }
  const [scope, name] = source.split('/')
  if (scope === '@nubo') {
    const allowed = [...ours(place), ...(place.isTest ? ['deploy'] : [])]
    return allowed.includes(name) ? undefined : `, of ours only ${allowed.join(', ') || 'nothing'}`
  }
  const owners = knownBy[scope]
  if (!owners || owners.includes(place.name) || (place.isTest && owners.includes('tests'))) return undefined
  return `, which only ${owners.join(', ')} may`
}

function ours(place) {
  if (place.kind === 'libs') return libsOfLibs[place.directory] ?? []
  if (place.kind === 'services') return place.directory.endsWith('-agent') ? libsOfAgents : libsOfServices
  if (place.kind === 'clients') return []
  // The deployment and the suites across services start and measure everything.
  return [...Object.keys(libsOfLibs), 'deploy', 'api', 'compute-agent', 'conductor', 'image', 'scheduler', 'cli']
}

/** `new Date()` and `Date()` read the clock; `new Date(something)` only converts. */
const noAmbientDate = {
  meta: { messages: { now: 'Time comes in through the Clock of libs/kernel' } },
  create(context) {
    const check = (node) => {
      const asksForNow = node.type === 'CallExpression' || node.arguments.length === 0
      if (node.callee.type === 'Identifier' && node.callee.name === 'Date' && asksForNow)
        context.report({ node, messageId: 'now' })
    }
    return { NewExpression: check, CallExpression: check }
  },
}

export default { meta: { name: 'house' }, rules: { imports, 'no-ambient-date': noAmbientDate } }
