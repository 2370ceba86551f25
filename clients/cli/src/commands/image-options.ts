import { Option, type Command } from 'commander'
import { isOwnKey } from '../cloud/images.js'
import { usageError } from '../exit.js'

export interface VisibilityOptions {
  public?: boolean
  private?: boolean
  shared?: boolean
  community?: boolean
}

const visibilities = ['public', 'private', 'shared', 'community'] as const

/** Of `--public`, `--private`, `--shared` and `--community` at most one. */
export function visibilityOptions(command: Command, says: Record<(typeof visibilities)[number], string>): Command {
  for (const name of visibilities) {
    command.addOption(new Option(`--${name}`, says[name]).conflicts(visibilities.filter((other) => other !== name)))
  }
  return command
}

export function chosenVisibility(options: VisibilityOptions): string | undefined {
  return visibilities.find((name) => options[name])
}

/** Properties that are really the image's own keys are refused: the option of that name exists, or the cloud alone sets it. */
export function userProperties(properties: Record<string, string> = {}): Record<string, string> {
  const own = Object.keys(properties).find(isOwnKey)
  if (own) throw usageError(`'${own}' is not a free property of an image`)
  return properties
}
