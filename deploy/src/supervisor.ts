// The process that keeps an installation's services running: node supervisor.js DIRECTORY LOG_DIRECTORY
import { systemClock } from '@nubo/kernel'
import { Supervisor } from './supervisor/supervisor.js'

const [directory, logDirectory] = process.argv.slice(2)
if (!directory || !logDirectory) throw new Error('usage: supervisor.js DIRECTORY LOG_DIRECTORY')
// A person's Ctrl-C or logging out is not meant for it.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
await new Supervisor({ directory, logDirectory, clock: systemClock }).run()
process.exit(0)
