export { Once } from './once.js'
export { countKeptAnswers, findKeptAnswer, forgetOldAnswers } from './request-keys.js'
