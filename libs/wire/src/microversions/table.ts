import { minorOf } from './change.js'
import type { CataloguedVersion, MicroversionRegistry } from './registry.js'

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

/**
 * The page that says what each microversion changes and whether it is here, made from the code.
 * `catalogue` must name every version of the registry's range once.
 */
export function microversionTable(registry: MicroversionRegistry, catalogue: readonly CataloguedVersion[]): string {
  const { range } = registry
  const rows = catalogue.map(({ version, change }) => {
    const here = registry.changesIn(minorOf(version))
    const missing = here.map((item) => item.missing).filter((item) => item !== undefined)
    const state = here.length === 0 ? 'not built' : missing.length > 0 ? 'partly' : 'here'
    const what = [...here.map((item) => item.summary), ...missing.map((item) => `missing: ${item}`)]
    return `| ${version} | ${cell(change)} | ${state} | ${cell(what.join('; '))} |`
  })
  const count = (state: string) => rows.filter((row) => row.includes(`| ${state} |`)).length
  return [
    `# Microversions of ${range.service}`,
    '',
    'Made from the code by `npm run docs -w @nubo/api`; a test fails when this page is stale. Handlers speak the newest',
    'version. A version that is *here* has its transforms of requests and answers declared beside its resource; one that is',
    '*not built* belongs to routes or fields which do not exist yet, so that there is nothing to transform.',
    '',
    `${count('here')} of ${rows.length} here, ${count('partly')} partly, ${count('not built')} not built.`,
    '',
    '| version | what the real service changed | state | what is done here |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}
