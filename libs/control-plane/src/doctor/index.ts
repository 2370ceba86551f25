export { Examiner, type Examination, type ExaminerOptions } from './examination.js'
export { repair, type RepairOutcome, type RepairTools } from './repair.js'
export type { SurveyedHost } from './survey-hosts.js'
