// The commands behind `npm run up`, `down` and `status`, run by deploy/bootstrap.mjs once everything they need is there.
import { Refusal } from '../bootstrap/refusal.mjs'
import { down } from './down.js'
import { status } from './status.js'
import { up } from './up/up.js'

// The bootstrap holds the clone's lock for us: without it nobody would know that we are at work.
if (process.channel) {
  process.on('disconnect', () => process.exit(130))
  process.channel.unref()
}
process.on('SIGINT', () => process.exit(130))

const commands: Record<string, (args: string[]) => Promise<number>> = { up, down, status }
const [name = '', ...args] = process.argv.slice(2)
try {
  const command = commands[name]
  if (!command) throw new Refusal(`there is no command ${name}.`)
  process.exitCode = await command(args)
} catch (error) {
  if (!(error instanceof Error)) throw error
  process.stderr.write(`nubo: ${error instanceof Refusal || !process.env['NUBO_DEBUG'] ? error.message : error.stack}\n`)
  process.exitCode = 1
}
// Idle keep-alive connections to our own services would hold the process for seconds.
process.exit()
