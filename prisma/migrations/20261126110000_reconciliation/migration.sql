-- When the whole cloud was last looked over: of any number of conductors one does it each time.
CREATE TABLE "reconciliation" (
    "only" BOOLEAN NOT NULL DEFAULT true,
    "looked_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "reconciliation_pkey" PRIMARY KEY ("only")
);

-- A project's operations, newest first.
CREATE INDEX "operations_project_id_started_at_id_idx" ON "operations"("project_id", "started_at" DESC, "id" DESC);

-- What Prisma's schema cannot say.
ALTER TABLE "reconciliation" ADD CHECK ("only");
INSERT INTO "reconciliation" DEFAULT VALUES;
