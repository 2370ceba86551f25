/** How to reach Redis, in the shape of every service's configuration. */
export interface RedisAddress {
  host: string
  port: number
  username: string
  password: string
}
