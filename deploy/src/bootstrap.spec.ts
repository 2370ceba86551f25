import { describe, expect, it } from '@jest/globals'
import { librariesOf } from '../bootstrap/packages.mjs'

describe('librariesOf', () => {
  it('takes the libraries of a PostgreSQL package, and neither its scripts nor LLVM', () => {
    const depends =
      'locales | locales-all, postgresql-client-15, postgresql-common (>= 241~), ssl-cert, tzdata, debconf (>= 0.5) | debconf-2.0, ' +
      'libc6 (>= 2.35), libgssapi-krb5-2 (>= 1.17), libicu72 (>= 72.1~rc-1~), libllvm14 (>= 1:9~svn298832-1~), libpq5 (>= 14~beta3), libc6'
    expect(librariesOf(depends)).toEqual(['tzdata', 'libc6', 'libgssapi-krb5-2', 'libicu72', 'libpq5'])
  })
})
