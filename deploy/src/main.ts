// The commands behind `npm run up`, `down` and `status`, run by deploy/bootstrap.mjs once everything they need is there.
import { Refusal } from '../bootstrap/refusal.mjs'

// The bootstrap holds the clone's lock for us: without it nobody would know that we are at work.
if (process.channel) {
  process.on('disconnect', () => process.exit(130))
  process.channel.unref()
}
process.on('SIGINT', () => process.exit(130))

// Loaded when they are asked for: `down` need not wait for what only `up` uses.
const commands: Record<string, () => Promise<(args: string[]) => Promise<number>>> = {
  up: async () => (await import('./up/up.js')).up,
  down: async () => (await import('./down.js')).down,
  status: async () => (await import('./status.js')).status,
}
const [name = '', ...args] = process.argv.slice(2)
try {
  const load = commands[name]
  if (!load) throw new Refusal(`there is no command ${name}.`)
  const command = await load()
  process.exitCode = await command(args)
} catch (error) {
  if (!(error instanceof Error)) throw error
  process.stderr.write(`nubo: ${error instanceof Refusal || !process.env['NUBO_DEBUG'] ? error.message : error.stack}\n`)
  process.exitCode = 1
}
// Idle keep-alive connections to our own services would hold the process for seconds.
process.exit()
