export { Database, isUniqueViolation, type DatabaseOptions, type Queryable, type Transaction } from './connection.js'
export { migrate } from './migrate.js'
