export { flavorRowColumns, type FlavorRow } from './flavor-row.js'
export { addFlavorAccess, listFlavorAccess, removeFlavorAccess } from './flavor-access.js'
export {
  deleteExtraSpec,
  deleteFlavor,
  describeFlavor,
  findVisibleFlavor,
  insertFlavor,
  setExtraSpecs,
  type FlavorViewer,
  type TakenFlavor,
} from './flavors.js'
export { flavorSortKeys, listFlavors, type FlavorListRequest, type FlavorSortKey } from './list-flavors.js'
