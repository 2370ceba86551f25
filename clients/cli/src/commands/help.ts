import { Option, type Command } from 'commander'
import { requestKey, wholeNumber } from '../arguments.js'

/** Puts worked examples under a command's help: what most people read first, and often last. */
export function examples(command: Command, lines: readonly (readonly [shell: string, says: string])[]): Command {
  const width = Math.max(...lines.map(([shell]) => shell.length))
  const text = lines.map(([shell, says]) => `  $ ${shell.padEnd(width)}${says === '' ? '' : `   ${says}`}`.trimEnd())
  return command.addHelpText('after', `\nExamples:\n${text.join('\n')}`)
}

/** `--wait` and how long: for every command that starts something that takes a while. */
export function waitOptions(command: Command, goal: string): Command {
  return command
    .option('-w, --wait', `wait until ${goal}, showing progress`)
    .addOption(
      new Option('--timeout <seconds>', 'give up waiting after so long (exit code 5); what was asked for goes on')
        .default(600)
        .argParser(wholeNumber),
    )
}

/** `--idempotency-key`: for every command that makes one thing. */
export function addKeyOption(command: Command): Command {
  return command.option(
    '--idempotency-key <key>',
    'a name of your own for what this makes: the same command with the same key makes nothing twice (Nubo, for 24 hours)',
    requestKey,
  )
}

/** What was given for it, if `command` has it. */
export function keyOption(command: Command): { idempotencyKey?: string } {
  const { idempotencyKey } = command.opts<{ idempotencyKey?: string }>()
  return idempotencyKey === undefined ? {} : { idempotencyKey }
}

export interface WaitOptions {
  wait?: boolean
  /** Seconds. */
  timeout: number
}
