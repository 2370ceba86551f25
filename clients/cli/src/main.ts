#!/usr/bin/env node
import { run } from './run.js'
import { processWorld } from './world.js'

// A pager or head may close our output early: that is no fault of anybody.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

process.exitCode = await run(process.argv.slice(2), processWorld())
