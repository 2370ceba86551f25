import { writeFileSync } from 'node:fs'
import { microversionTable } from '@nubo/wire'
import { novaHistory } from './nova-history.js'
import { computeMicroversions } from './registry.js'

const page = new URL('../../../../../docs/microversions.md', import.meta.url)
writeFileSync(page, microversionTable(computeMicroversions, novaHistory))
