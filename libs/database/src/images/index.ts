export {
  abandonUpload,
  claimUpload,
  completeUpload,
  findWholeFile,
  forgetFile,
  hasFilesToSweep,
  removedFiles,
  renewUploads,
  returnCutOffUploads,
  uploadWriters,
  type ImageDigest,
  type ImageFileId,
  type UploadRefusal,
} from './image-files.js'
export {
  listImages,
  type ImagePage,
  type Comparison,
  type ImageCondition,
  type ImageListing,
  type ImageSort,
  type ImageSortKey,
  type NumberColumn,
  type TextColumn,
  type TimeColumn,
} from './image-list.js'
export {
  deleteImageMember,
  findImageMember,
  insertImageMember,
  listImageMembers,
  setImageMemberStatus,
  type ImageMemberRow,
} from './image-members.js'
export { type ImageRow, type ImageStatus, type ImageViewer, type ImageVisibility, type MemberStatus } from './image-row.js'
export { deleteImage, findImage, insertImage, lockImage, saveImage, type NewImage, type SeenImage } from './images.js'
