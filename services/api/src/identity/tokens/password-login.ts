import { createHash } from 'node:crypto'
import { Inject, Injectable } from '@nestjs/common'
import { PasswordHasher } from '@nubo/auth'
import { DATABASE } from '@nubo/control-plane'
import { findLogin, type Database, type LoginUser, type UserReference } from '@nubo/database'
import { loginRefused } from '../identity-errors.js'
import { LoginThrottle } from './login-throttle.js'

/** Tells who knows a user's password. Nothing in its answers or its time says whether there is such a user. */
@Injectable()
export class PasswordLogin {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    private readonly hasher: PasswordHasher,
    private readonly throttle: LoginThrottle,
  ) {}

  /** The user, if it is enabled, in an enabled domain, and this is its password. Errors: 401 for everything else. */
  async check(reference: UserReference, password: string): Promise<LoginUser> {
    const { user, ...counted } = await findLogin(this.database, reference, nobody(reference))
    return this.throttle.run(counted, async () => {
      const matches = await this.hasher.matches(password, user?.passwordHash)
      if (!matches || !user?.enabled || !user.domainEnabled) throw loginRefused()
      return user
    })
  }
}

/** A name that is nobody's has its failures counted too. */
function nobody(reference: UserReference): string {
  return `unknown:${createHash('sha256').update(JSON.stringify(reference)).digest('base64url')}`
}
