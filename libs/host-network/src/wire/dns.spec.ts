import { expect, it } from '@jest/globals'
import { testSettings } from '../testing/plans.js'
import { servedNetwork } from '../testing/served-networks.js'
import { hostEntries } from './dns.js'

const entries = (name: string) => hostEntries(servedNetwork(5, { names: [{ name, addresses: ['10.0.0.5'] }] }), testSettings)

it('calls a guest by its name, with the domain and without', () => {
  expect(entries('web')).toEqual(['10.0.0.5 web.nubo.test web'])
})

it('takes nobody for a host of the world that has a name of several labels: other tenants ask for that one too', () => {
  expect(entries('www.example.org')).toEqual(['10.0.0.5 www.example.org.nubo.test'])
})

it('knows no name that is none', () => {
  expect(entries('web\n10.0.0.5 other')).toEqual([])
})
