import { afterAll, beforeAll, describe } from '@jest/globals'
import { minutes } from '../support/network-checks.js'
import { NetworkStage } from '../support/network-stage.js'
import { groups } from './networks/groups.js'
import { interfaces } from './networks/interfaces.js'
import { metadata } from './networks/metadata.js'
import { oneNetwork } from './networks/one-network.js'
import { outages } from './networks/outages.js'
import { routers, routersOfTenants } from './networks/routers.js'
import { spoofing } from './networks/spoofing.js'
import { standstill } from './networks/standstill.js'

// What holds is shown by packets between real guests, on the two hosts of an installation as `npm run up` makes it. All cases
// share its guests, and the last ones take things away.

let stage: NetworkStage

beforeAll(async () => {
  stage = await NetworkStage.begin()
}, 15 * minutes)
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]()
}, 5 * minutes)

const still = standstill(() => stage)

describe('one network', () => {
  oneNetwork(() => stage)
})
describe('who a guest may say that it is', () => {
  spoofing(() => stage)
})
describe('metadata', () => {
  metadata(() => stage)
})
describe('tenants', () => {
  routersOfTenants(() => stage)
})
describe('a guest that stands still', () => {
  still.begins()
})
describe('security groups', () => {
  groups(() => stage)
})
describe('interfaces', () => {
  interfaces(() => stage)
})
describe('routers', () => {
  routers(() => stage)
})
describe('a guest that stood still', () => {
  still.ends()
})
describe('outages', () => {
  outages(() => stage)
})
