-- The files behind images. A file is known here before its first byte is written and until after its last was removed,
-- so that a service which died on the way leaves nothing that nobody knows of.
CREATE TABLE "image_files" (
    "id" UUID NOT NULL,
    "image_id" UUID NOT NULL,
    "state" TEXT NOT NULL,
    "writer" TEXT NOT NULL,
    "lease_until" TIMESTAMPTZ(6) NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "image_files_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "images_created_at_id_idx" ON "images"("created_at" DESC, "id" DESC);
CREATE INDEX "image_members_project_id_idx" ON "image_members"("project_id");

-- What Prisma's schema cannot say.

ALTER TABLE "image_files" ADD CHECK ("state" IN ('writing', 'whole', 'removed'));
-- One upload at a time, and one file an image.
CREATE UNIQUE INDEX "image_files_one_live" ON "image_files"("image_id") WHERE "state" IN ('writing', 'whole');
CREATE INDEX "image_files_to_sweep" ON "image_files"("lease_until") WHERE "state" IN ('writing', 'removed');
