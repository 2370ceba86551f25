import { Option, type Command } from 'commander'
import { wholeNumber } from '../arguments.js'

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

export interface WaitOptions {
  wait?: boolean
  /** Seconds. */
  timeout: number
}
