export { type DatabaseAddress, type PostgresOptions, PrivatePostgres, startPostgres } from './data/postgres.js'
export { everything, type RedisUser } from './data/redis-program.js'
export { PrivateRedis, type RedisAddress, type RedisOptions, startRedis } from './data/redis.js'
export { waitFor } from './process/wait.js'
