import { assert, CloudError } from '@nubo/kernel'
import { hostNamespace } from '../engine/objects.js'
import { entering } from '../entering.js'

/** What is asked in each namespace; forwarding of the host alone. */
const questions = ['links', 'tables', 'settings', 'forwarding'] as const

/** The lines of each answer. */
export type Listing = Readonly<Record<(typeof questions)[number], readonly string[]>>

/** What the shell in a namespace ends with where a program there did not answer. */
const noAnswer = 7

/**
 * One script that lists all of these namespaces. A command for each question in each of them would be hundreds on a host with
 * many networks, and a process costs the agent, which is large, far more than it costs a shell.
 * @param settingsOf paths below /proc/sys of which the values are wanted.
 */
export function listingScript(namespaces: readonly string[], settingsOf: (namespace: string) => readonly string[]): string {
  return namespaces.map((namespace) => scriptOf(namespace, settingsOf(namespace))).join('')
}

function scriptOf(namespace: string, settings: readonly string[]): string {
  assert(
    settings.every((path) => /^[a-zA-Z0-9_./-]+$/.test(path)),
    'a setting is a path',
  )
  const shell = namespace === hostNamespace ? 'sh' : [...entering(namespace), 'sh'].join(' ')
  const must = (command: string) => `${command} || exit ${noAnswer}`
  const everything = 'address show\\nneighbour show nud permanent\\nroute show table all\\n'
  return `
echo '@namespace ${namespace}'
${shell} <<'LISTING'
echo '@entered'
echo '@links'
${must(`printf '${everything}' | ip -json -details -batch -`)}
echo '@tables'
${must('nft --json --numeric-protocol list ruleset')}
echo '@settings'
cd /proc/sys && grep -Hs . ${settings.join(' ')} </dev/null
echo '@forwarding'
${namespace === hostNamespace ? must('bridge -json fdb show') : ''}
echo '@end'
LISTING
[ $? -ne ${noAnswer} ] || exit 1
`
}

/**
 * By namespace what it answered; undefined where it could not be entered.
 * @throws `Unavailable` where one that was entered did not answer to the end.
 */
export function parseListing(text: string): Map<string, Listing | undefined> {
  const [, ...namespaces] = text.split(/^@namespace /m)
  return new Map(
    namespaces.map((part) => {
      const [namespace = '', ...lines] = part.split('\n')
      return [namespace, lines.includes('@entered') || namespace === hostNamespace ? answersOf(namespace, lines) : undefined]
    }),
  )
}

function answersOf(namespace: string, lines: readonly string[]): Listing {
  if (!lines.includes('@end'))
    throw new CloudError('Unavailable', `${namespace || 'the host'} could not be looked at: it did not answer to the end`)
  const marks = new Set(lines.flatMap((line, index) => (line.startsWith('@') ? [index] : [])))
  const answer = (question: string) => {
    const first = lines.indexOf(`@${question}`) + 1
    const end = lines.findIndex((_, index) => index >= first && marks.has(index))
    return lines.slice(first, end)
  }
  return Object.fromEntries(questions.map((question) => [question, answer(question)])) as unknown as Listing
}
